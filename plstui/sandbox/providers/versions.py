"""What an api-version does not know: bodies are kept with everything, and an answer leaves that out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Path = tuple[str, ...]
"""The names that lead to a property from the top of a body."""


def hidden(since: Mapping[str, str], until: Mapping[str, str], api_version: str) -> tuple[Path, ...]:
    """The paths that an api-version does not show; `since` and `until` tell of dotted paths the first that does, and
    the first that no longer does. Api-versions compare as text: they are dates.
    """
    paths = [path for path, first in since.items() if api_version < first]
    paths += [path for path, end in until.items() if api_version >= end]
    return tuple(tuple(path.split(".")) for path in paths)


def drop(inside: dict[str, Any], path: Path) -> None:
    """Leave a property out of a body, if it is there. What is inside the body is copied, not changed."""
    name, *rest = path
    if not rest:
        inside.pop(name, None)
    elif isinstance(inside.get(name), dict):
        inside[name] = dict(inside[name])
        drop(inside[name], tuple(rest))
