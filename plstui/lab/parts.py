"""What a lab step is made of: resources that must be so, and conditions that must come true.

All of it is data that a survey of Azure is held against. Nothing here asks or writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from plstui.domain.ids import ResourceId
from plstui.domain.resources import BalancerHealth
from plstui.domain.sides import Side
from plstui.lab.fragments import Body, clashes, lacks

SUCCEEDED, DELETING = "succeeded", "deleting"
OVER = frozenset({SUCCEEDED, "failed", "canceled", ""})
"""Provisioning states in which nothing is under way; records of a zone have none."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What Azure was last seen to hold of the lab."""

    bodies: Mapping[ResourceId, Body | None] = field(default_factory=dict)
    """Each resource as ARM's JSON; None when it is not there."""
    health: Mapping[ResourceId, BalancerHealth] = field(default_factory=dict)
    """By the load-balancing rule."""
    untold: Mapping[ResourceId, str] = field(default_factory=dict)
    """Why a rule's health could not be asked for, as a clause."""
    unread: Mapping[Side, str] = field(default_factory=dict)
    """Why a side could not be looked at, as a clause: nothing is known of what it holds."""

    def body(self, resource_id: ResourceId) -> Body | None:
        """A resource; None when it is not there or was not looked at."""
        return self.bodies.get(resource_id)

    def with_body(self, resource_id: ResourceId, body: Body | None) -> Survey:
        """This survey with one resource seen anew."""
        return replace(self, bodies={**self.bodies, resource_id: body})

    def with_health(self, rule_id: ResourceId, health: BalancerHealth) -> Survey:
        """This survey with one rule's health seen anew."""
        return replace(self, health={**self.health, rule_id: health})


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """A resource, or a piece of one, that must be there."""

    key: str
    """What other parts name it by."""
    side: Side
    id: ResourceId
    """The resource that is written: a piece of a network or a balancer is written with the whole."""
    what: str
    """In words: `virtual network virtualNetwork`."""
    yet: str = ""
    """What is missing, as a clause, where it is no thing that is there or not; empty where it is one."""
    needs: tuple[str, ...] = ()
    """The keys of the parts that come first."""
    fragment: Body | Callable[[Survey], Body | None] = field(default_factory=dict)
    """What must be so of it. When that depends on what Azure has given out, a function; None while it is not known."""
    initial: Body = field(default_factory=dict, repr=False)
    """What is sent along when it is created and not looked at again; never printed, as a password may be in it."""
    fixed: Body = field(default_factory=dict)
    """What cannot be changed any more: where this is not so, the name is taken by something else."""
    once: Body = field(default_factory=dict)
    """The same of pieces that may be missing yet: only where one is there and is another, it is taken."""
    foreign: Callable[[Body, Survey], str] = lambda _, __: ""
    """What speaks against its being the lab's where that shows in more than one value, as a clause; else empty."""
    undone: Callable[[Body], Body] | None = None
    """The resource without this piece; None when undoing deletes the resource."""

    def wanted(self, survey: Survey) -> Body | None:
        """What must be so of it, as far as that is known."""
        return self.fragment(survey) if callable(self.fragment) else self.fragment

    def lack(self, survey: Survey) -> str | None:
        """What is missing yet, in a few words; None when all is so and Azure is done with it."""
        wanted, there = self.wanted(survey), survey.body(self.id)
        if wanted is None:
            return f"what the {self.what} needs is not known yet"
        none_yet = self.yet or f"there is no {self.what} yet"
        if there is None:
            return none_yet
        if state := state_of(there):
            if state not in OVER:
                return f"{self._whole} is {state}"
            if state != SUCCEEDED:
                return f"{self._whole} is there, but {state}"
        if path := lacks(there, wanted):
            # A path that ends with a name is that of an item that is missing: of a piece, the piece itself.
            if self.yet or (self.undone and path.endswith("]")):
                return none_yet
            return f"the {self.what} is not as the lab needs it ({path})"
        return None

    @property
    def _whole(self) -> str:
        """What is written, in words."""
        return self.id.name if self.yet else f"the {self.what}"

    def conflict(self, survey: Survey) -> str | None:
        """Why it cannot come about: its name is taken. None when what is there can become what is wanted."""
        there = survey.body(self.id)
        if there is None:
            return None
        if state_of(there) == DELETING:
            # What is in a group that is being deleted still looks as if it were there to stay.
            return f"{self._whole} is being deleted; wait until it is gone"
        path = lacks(there, self.fixed) or clashes(there, self.once)
        why = f"its {path} is another" if path else self.foreign(there, survey)
        return f"{self.id.name} is there already and is not the lab's: {why}" if why else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Something that comes true by itself, by the other side, or by an action that is no resource."""

    key: str
    side: Side
    what: str
    needs: tuple[str, ...] = ()
    reads: Callable[[Survey], tuple[tuple[Side, ResourceId], ...]] = lambda _: ()
    """The resources that it is told from, as far as they are known."""
    health_of: ResourceId | None = None
    """The load-balancing rule whose members' health it is told from."""
    lacking: Callable[[Survey], str | None]
    """What is missing yet, in a few words; None when it has come true."""
    hopeless: Callable[[Survey], str | None] = lambda _: None
    """Why waiting is no use; None when it is."""
    ripe: Callable[[Survey], bool] = lambda _: False
    """Whether it is time for the action that makes it true."""
    decision: bool = False
    """Whether that action is the ISV's decision, which is made only where that was asked for."""
    start: ResourceId | None = None
    """The machine whose start is that action."""
    doubt: float = inf
    """Seconds after which it is said once more what is missing; never where a person decides."""
    patience: float = inf
    """Seconds after which it counts as failed; likewise."""


Part = Want | Wait


class StepState(StrEnum):
    """Where a step stands."""

    DONE = "done"
    NEEDED = "needed"
    BLOCKED = "blocked"
    RUNNING = "running"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the workshop."""

    id: str
    number: int
    side: Side
    title: str
    why: str
    """Two sentences that a workshop can read out."""
    blade: str
    """Where the portal does it."""
    parts: tuple[Part, ...] = ()
    absent: str = ""
    """Why this step cannot be done here at all; empty when it can."""
    shows: Callable[[Survey], str] = lambda _: ""
    """What a person is shown of it once it is done: zones, an alias, an address."""
    opens_page: bool = False
    """Whether it is done by opening the page: it has no parts, and only a probe tells."""


def state_of(body: Body) -> str:
    """A resource's provisioning state in lower case; empty when it has none."""
    properties = body.get("properties")
    return str((properties or {}).get("provisioningState") or "").lower() if isinstance(properties, dict) else ""


def lack_of(part: Part, survey: Survey) -> str | None:
    """What is missing of a part yet; None when all is so."""
    return part.lack(survey) if isinstance(part, Want) else part.lacking(survey)


def obstacle(part: Part, survey: Survey) -> str | None:
    """Why a part cannot come true; None when it can."""
    sides = {part.side, *(side for side, _ in part.reads(survey))} if isinstance(part, Wait) else {part.side}
    if unread := next((survey.unread[side] for side in Side if side in sides & survey.unread.keys()), ""):
        return unread
    return part.conflict(survey) if isinstance(part, Want) else part.hopeless(survey)
