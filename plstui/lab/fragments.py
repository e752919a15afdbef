"""Part of a resource's body: is it there, and how it gets there with all else kept.

Wanted bodies say only what matters. Items of a list are told apart by their `name`, else by their `id`; a list whose
items have neither is one value. Text is compared without regard to case, as ARM does with ids and most words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

Body = dict[str, Any]


def lacks(there: Any, wanted: Any, path: str = "") -> str:
    """The path of the first thing in `wanted` that is not so in `there`; empty when all of it is."""
    if isinstance(wanted, Mapping):
        if not isinstance(there, Mapping):
            return path or "everything" if wanted else ""
        return next((lack for key in wanted if (lack := lacks(there.get(key), wanted[key], _join(path, key)))), "")
    if isinstance(wanted, list) and _key_of(wanted):
        return next((lack for item in wanted if (lack := _item_lacks(there, item, path))), "")
    return "" if _same(there, wanted) else path or "everything"


def clashes(there: Any, wanted: Any, path: str = "") -> str:
    """The path of the first thing that `there` has and that is not as in `wanted`; what is missing is no clash."""
    if there is None:
        return ""
    if isinstance(wanted, Mapping) and isinstance(there, Mapping):
        return next((clash for key in wanted if (clash := clashes(there.get(key), wanted[key], _join(path, key)))), "")
    if isinstance(wanted, list) and isinstance(there, list) and _key_of(wanted):
        found = ((there[at], item) for item in wanted if (at := _index(there, item)) is not None)
        return next((clash for one, item in found if (clash := clashes(one, item, f"{path}[{_label(item)}]"))), "")
    return lacks(there, wanted, path)


def merged(there: Any, wanted: Any) -> Any:
    """A copy of `there` in which all of `wanted` is so, and nothing else is different: not even an id's spelling."""
    if not lacks(there, wanted):
        return deepcopy(there)
    if isinstance(wanted, Mapping):
        result = dict(deepcopy(there)) if isinstance(there, Mapping) else {}
        return result | {key: merged(result.get(key), value) for key, value in wanted.items()}
    if isinstance(wanted, list) and _key_of(wanted):
        items = deepcopy(there) if isinstance(there, list) else []
        for item in wanted:
            at = _index(items, item)
            if at is None:
                items.append(deepcopy(item))
            else:
                items[at] = merged(items[at], item)
        return items
    return deepcopy(wanted)


def _item_lacks(there: Any, item: Body, path: str) -> str:
    at = _index(there, item) if isinstance(there, list) else None
    where = f"{path}[{_label(item)}]"
    return where if at is None else lacks(there[at], item, where)


def _index(items: Sequence[Any], wanted: Body) -> int | None:
    """Where the item is that `wanted` speaks of."""
    key = _key_of([wanted])
    for at, item in enumerate(items):
        if isinstance(item, Mapping) and _same(item.get(key), wanted[key]):
            return at
    return None


def _key_of(items: Sequence[Any]) -> str:
    """What tells the items of a list apart; empty when nothing does."""
    for key in ("name", "id"):
        if items and all(isinstance(item, Mapping) and key in item for item in items):
            return key
    return ""


def _label(item: Body) -> str:
    return str(item.get("name") or str(item.get("id", "")).rsplit("/", 1)[-1])


def _join(path: str, key: str) -> str:
    return key if not path or path == "properties" else f"{path}.{key}"


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return one.casefold() == other.casefold()
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and bool(one == other)


def subnet_piece(name: str, properties: Body) -> Body:
    """A virtual network's fragment that says something of one of its subnets."""
    return {"properties": {"subnets": [{"name": name, "properties": properties}]}}
