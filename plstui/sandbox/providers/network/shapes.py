"""Which properties appear only from an api-version on.

Bodies are kept with everything; an answer leaves out what its api-version does not know. Read off recorded answers of
the same resources under different api-versions; a property that is not here has been there all along.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from plstui.sandbox.store import Body

SINCE: dict[str, dict[str, str]] = {}
"""By type in lower case: paths in `properties` and the api-version that shows them first."""


@lru_cache(maxsize=64)
def _hidden(api_version: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    """By type: the paths that an api-version does not show. Api-versions compare as text: they are dates."""
    hidden: dict[str, tuple[tuple[str, ...], ...]] = {}
    for kind, since in SINCE.items():
        paths = tuple(tuple(path.split(".")) for path, first in since.items() if api_version[:10] < first)
        if paths:
            hidden[kind] = paths
    return hidden


def shape(body: Body, api_version: str) -> Body:
    """A body as an api-version shows it. Bodies are never changed: what differs is copied."""
    hidden = _hidden(api_version)
    return _shape(body, hidden) if hidden else body


def _shape(body: Body, hidden: dict[str, tuple[tuple[str, ...], ...]]) -> Body:
    properties = body.get("properties")
    if not isinstance(properties, dict):
        return body
    shown: dict[str, Any] = dict(properties)
    for name, value in properties.items():
        if isinstance(value, list) and value and isinstance(value[0], dict) and "type" in value[0]:
            shown[name] = [_shape(item, hidden) for item in value]
    for path in hidden.get(str(body.get("type", "")).lower(), ()):
        _drop(shown, path)
    return {**body, "properties": shown}


def _drop(properties: dict[str, Any], path: tuple[str, ...]) -> None:
    name, *rest = path
    if not rest:
        properties.pop(name, None)
    elif isinstance(properties.get(name), dict):
        properties[name] = dict(properties[name])
        _drop(properties[name], tuple(rest))
