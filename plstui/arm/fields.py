"""The parts of ARM's JSON, read without trust: what is missing, null or of another kind is empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from plstui.domain.ids import ResourceId

Json = Mapping[str, Any]
Fact = TypeVar("Fact")


def every(convert: Callable[[Json], Fact | None], items: object) -> tuple[Fact, ...]:
    """What `convert` makes of each item of a list; items that are no objects, or that it makes nothing of, are left."""
    return tuple(fact for item in objects(items) if (fact := convert(item)) is not None)


def head_of(model: Json) -> dict[str, Any]:
    """What every resource has, as arguments of its class; empty when it has no id."""
    resource_id = id_of(model)
    if resource_id is None:
        return {}
    return {
        "id": resource_id,
        "name": name_of(model, resource_id),
        "location": text(model.get("location")),
        "provisioning_state": text(properties_of(model).get("provisioningState")),
    }


def id_of(model: Json) -> ResourceId | None:
    """A resource's own id."""
    return parsed_id(model.get("id"))


def parsed_id(value: object) -> ResourceId | None:
    """A value as an id; None where it is none."""
    try:
        return ResourceId.parse(value) if isinstance(value, str) else None
    except ValueError:
        return None


def name_of(model: Json, resource_id: ResourceId) -> str:
    """A resource's name; the last of its id where it brings none."""
    return text(model.get("name")) or resource_id.name


def properties_of(model: Json) -> Json:
    """A resource's properties; empty where there are none."""
    return object_at(model, "properties")


def object_at(model: Json, key: str) -> Json:
    """The object at a key; empty where there is none."""
    value = model.get(key)
    return value if isinstance(value, Mapping) else {}


def pairs_at(model: Json, key: str) -> tuple[tuple[str, str], ...]:
    """The names and values of an object, by name."""
    return tuple(sorted((str(name), text(value)) for name, value in object_at(model, key).items()))


def reference_at(model: Json, key: str) -> ResourceId | None:
    """The resource that `{"key": {"id": …}}` refers to."""
    return id_of(object_at(model, key))


def objects(items: object) -> Iterator[Json]:
    """The objects in a list."""
    if isinstance(items, Iterable) and not isinstance(items, str | bytes | Mapping):
        yield from (item for item in items if isinstance(item, Mapping))


def texts(items: object) -> tuple[str, ...]:
    """The texts in a list."""
    return tuple(text(item) for item in items if item is not None) if isinstance(items, list | tuple) else ()


def text(value: object) -> str:
    """Text as it is; numbers as text, for fields whose type has changed between api-versions; all else is empty."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def number(value: object) -> int:
    """A whole number; 0 where it is none."""
    try:
        return int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
