"""Lists in pages: private DNS gives a hundred items at a time and an address for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.gateway.routing import address
from plstui.sandbox.store import Body

MOST = 100
"""Items in a page unless `$top` asks for fewer."""


def page(call: Call, items: Sequence[Body]) -> Response:
    """One page of a list; `$top` and `$skiptoken` are read from the request."""
    size = _number(call, "$top", MOST)
    start = _number(call, "$skiptoken", 0)
    if not 0 < size <= MOST:
        raise _invalid("$top")
    shown = list(items[start : start + size])
    if start + size >= len(items):
        return Response(200, {"value": shown})
    query = urlencode({**call.request.query, "$skiptoken": str(start + size)}, safe="$")
    return Response(200, {"value": shown, "nextLink": address(call.request.base_url, call.request.path, query)})


def _number(call: Call, name: str, default: int) -> int:
    text = call.request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise _invalid(name)
    return int(text)


def _invalid(name: str) -> ArmError:
    return ArmError(400, "BadRequest", f"The value of the query parameter '{name}' is invalid.", envelope=False)
