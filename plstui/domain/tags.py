"""The tags of a private link service, as a change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from plstui.domain.az import tags_line
from plstui.domain.change import Body, Change, Put, Reads, Request, Shown, etag_of
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.world import World

MAX_TAGS = 50
"""Tags that Azure takes on one resource."""
MAX_NAME = 512
MAX_VALUE = 256
"""Characters that Azure takes of a tag."""
FORBIDDEN = frozenset("<>%&\\?/")
"""What a tag's name may not hold."""

Difference = tuple[str, str | None, str | None]
"""A tag's name, its value before, and its value afterwards; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagChange(Change[Body, Body]):
    """Sets and removes tags of a service, whose body is read again and sent whole: all else in it stays.

    Azure compares the names of tags without regard to case.
    """

    reads: ClassVar[Reads] = Reads.BODY
    reads_back: ClassVar[bool] = True

    tags: tuple[tuple[str, str], ...]
    """What to set."""
    removed: tuple[str, ...]
    """The names of what to remove."""

    def why_not(self, world: World) -> str | None:
        """Why it is not possible by what was last seen; of what was not seen nothing is known."""
        services = world.isv.services if world.isv else ()
        service = next((service for service in services if service.id == self.target), None)
        return self._why_not(dict(service.tags), service.provisioning_state) if service else None

    def for_what_is_there(self, state: Body) -> Self:
        """The same by the names as the service spells them; az is not to remove what is not there."""
        there = {name.lower(): name for name in tags_of(state)}
        tags = {there.get(name.lower(), name): value for name, value in self.tags}
        removed = tuple(there.get(name.lower(), name) for name in self.removed)
        az = tags_line(self.target, tags, [name for name in removed if name.lower() in there])
        return replace(self, tags=tuple(tags.items()), removed=removed, az=az)

    def why_not_now(self, state: Body) -> str | None:
        """Why it is not possible by what the service says."""
        return self._why_not(tags_of(state), state_of(state))

    def _why_not(self, before: Mapping[str, str], provisioning_state: str) -> str | None:
        if provisioning_state.lower() in ("updating", "deleting"):
            return f"Azure is still working on this service: it is {provisioning_state}."
        if not self.differences(before):
            return "The tags of this service are so already."
        if len(self.applied(before)) > MAX_TAGS:
            return f"Azure takes {MAX_TAGS} tags on a resource, and this would be more; remove some."
        return None

    def why_stale(self, asked: Body, now: Body) -> str | None:
        """Whether somebody has changed one of these tags since the question."""
        if self.differences(tags_of(asked)) == self.differences(tags_of(now)):
            return None
        return f"The tags of {self.target.name} have been changed since you were asked; look again and decide anew."

    def request(self, state: Body) -> Request[Body]:
        """The whole body with other tags, as long as nobody else has written it meanwhile."""
        return Put({**state, "tags": self.applied(tags_of(state))}, etag_of(self.target, state))

    def shown(self, before: Body, now: Body | None) -> Shown:
        """What has become of these tags; what somebody does to others is no matter."""
        if now is not None and not self.differences(tags_of(now)):
            return Shown.AS_ASKED
        is_as_before = now is not None and self.differences(tags_of(before)) == self.differences(tags_of(now))
        return Shown.AS_BEFORE if is_as_before else Shown.OTHERWISE

    def told(self, now: Body | None) -> str:
        """What its tags are."""
        if now is None:
            return "it is not there any more"
        tags = ", ".join(f"{clean(name, 60)}={clean(value, 60)}" for name, value in tags_of(now).items())
        return f"its tags are {clean(tags, 300)}" if tags else "it has no tags"

    def applied(self, before: Mapping[str, str]) -> dict[str, str]:
        """All tags afterwards."""
        changed = {name.lower() for name, _ in self.tags} | set(map(str.lower, self.removed))
        return {name: value for name, value in before.items() if name.lower() not in changed} | dict(self.tags)

    def differences(self, before: Mapping[str, str]) -> tuple[Difference, ...]:
        """What this makes different where the tags are these."""
        old = {name.lower(): value for name, value in before.items()}
        wanted: tuple[tuple[str, str | None], ...] = (*self.tags, *((name, None) for name in self.removed))
        return tuple((name, old.get(name.lower()), new) for name, new in wanted if old.get(name.lower()) != new)


def tag_change(service_id: ResourceId, tags: Mapping[str, str], removed: Collection[str] = ()) -> TagChange:
    """A change of a service's tags."""
    return TagChange(
        side=Side.ISV,
        target=service_id,
        verb="set tags",
        az=tags_line(service_id, tags, removed),
        doing="changing the tags of this service",
        tags=tuple(tags.items()),
        removed=tuple(removed),
    )


def tags_of(body: Body) -> dict[str, str]:
    """The tags in a body."""
    return {str(name): str(value or "") for name, value in (body.get("tags") or {}).items()}


def state_of(body: Body) -> str:
    """The provisioning state in a body."""
    return str((body.get("properties") or {}).get("provisioningState") or "")


def parsed_tag(text: str) -> tuple[str, str]:
    """The tag that `NAME=VALUE` is. Raises `ValueError`, with what is wrong as a clause."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError("it is no NAME=VALUE")
    return parsed_name(name), _harmless(value, MAX_VALUE, "the value")


def named(text: str) -> str:
    """The name of a tag that is to go: whatever Azure may have taken for one. Raises `ValueError` likewise."""
    if not text or len(text) > MAX_NAME:
        raise ValueError(f"a name has one character at least, and {MAX_NAME} at most")
    return text


def parsed_name(text: str) -> str:
    """The name of a tag. Raises `ValueError` likewise."""
    name = _harmless(text, MAX_NAME, "the name")
    if not name:
        raise ValueError("the name is missing")
    if found := FORBIDDEN & set(name):
        raise ValueError(f"a name must not hold {' '.join(sorted(found))}")
    return name


def _harmless(text: str, longest: int, what: str) -> str:
    text = text.strip()
    if clean(text, longest) != text:
        raise ValueError(f"{what} is one line of at most {longest} visible characters, without double spaces")
    return text
