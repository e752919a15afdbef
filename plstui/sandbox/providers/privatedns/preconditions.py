"""If-Match and If-None-Match, which private DNS honours; its etags are compared without their quotes."""

from __future__ import annotations

from collections.abc import Mapping

from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.ports import Json


def check(headers: Mapping[str, str], found: Json | None, what: str) -> None:
    """Raise the 412 that a request's conditions call for; `what` is the thing in words, `Zone tradewinds.internal`."""
    if "if-none-match" in headers and found is not None:
        raise _failed(f"The {what} exists already and hence cannot be created again.")
    wanted = headers.get("if-match", "")
    if not wanted:
        return
    if found is None or (wanted.strip() != "*" and _bare(wanted) != _bare(str(found["etag"]))):
        raise _failed(f"The {what} has been modified (etag mismatch).")


def _bare(etag: str) -> str:
    return etag.strip().removeprefix("W/").strip('"').lower()


def _failed(message: str) -> ArmError:
    return ArmError(412, "PreconditionFailed", message, envelope=False)
