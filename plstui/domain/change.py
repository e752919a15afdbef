"""A write to Azure as a value: what it does, why not, what is read again before it, and what is then sent.

`engine/gate.py` performs any of them, in one order. A new one is a subclass of `Change`, beside the rules that it is
about.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, ClassVar, Generic, Self, TypeVar

from plstui.domain.connection import ConnectionStatus
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.world import World

Body = dict[str, Any]
"""A resource as ARM's JSON."""

State = TypeVar("State")
"""What is read again before a change: a connection, a body, or nothing."""
Result = TypeVar("Result")
"""What Azure answers in the end."""


class Request(Generic[Result]):
    """What is sent. A body or script may hold a password, so none stands in what a debugger or an error shows."""


@dataclass(frozen=True, slots=True)
class Decide(Request[Any]):
    """Set a connection's status and description, or remove it; what is then read back is the connection, or None."""

    status: ConnectionStatus | None
    """None for a removal."""
    description: str
    expected: ConnectionStatus
    """The status that it must still be in."""


@dataclass(frozen=True, slots=True)
class Put(Request[Body]):
    """Create or change a resource; the answer is what it then is."""

    body: Body = field(repr=False)
    etag: str | None = None
    """What it must still have; empty when it must not be there yet; None for whatever is there."""


@dataclass(frozen=True, slots=True)
class Delete(Request[None]):
    """Delete a resource; one that is not there is no error."""

    wait: bool = True
    """Whether to wait until Azure is done."""


@dataclass(frozen=True, slots=True)
class Start(Request[None]):
    """Start a machine."""


@dataclass(frozen=True, slots=True)
class RunScript(Request[str]):
    """Have a machine's agent run a script; the answer is what it prints."""

    script: str = field(repr=False)
    windows: bool = False


class Reads(Enum):
    """What of the target is read again before the question, and once more before it is sent."""

    NOTHING = auto()
    """Whoever makes the change has just looked, or there is nothing to look at."""
    CONNECTION = auto()
    BODY = auto()
    """The resource, which has to be there."""


class Shown(Enum):
    """What the target shows of a change that has been sent."""

    AS_ASKED = auto()
    UNDER_WAY = auto()
    AS_BEFORE = auto()
    OTHERWISE = auto()
    """Neither what it was nor what was asked for: somebody else has changed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[State, Result]):
    """A write, before it is sent."""

    reads: ClassVar[Reads] = Reads.NOTHING
    reads_back: ClassVar[bool] = False
    """Whether the target's body is read after a `Put`, to see what came of it, and `shown` says so."""

    must_show: ClassVar[bool] = False
    """Whether what Azure has taken counts as done only once it shows, and until then nobody knows."""

    side: Side
    target: ResourceId
    verb: str
    """What is done, in a word or two; the journal says it too."""
    az: str
    """The `az` line that does the same."""
    doing: str = "writing to it"
    """What is said of it while it is under way, after `plstui is still`."""
    warning: str = ""
    """What a person must know before saying yes; empty when there is nothing."""
    how_to_look: str = "Look at it before you do it again: it may still be done a while later."
    """The next step where it is not known whether it was done."""

    def why_not(self, world: World) -> str | None:
        """Why this is not possible by what was last seen, as a sentence a person can act on; None when it is."""
        return None

    def for_what_is_there(self, state: State) -> Self:
        """The same, with the `az` line that does it to what was read again."""
        return self

    def why_not_now(self, state: State) -> str | None:
        """The same by what was read again."""
        return None

    def why_stale(self, asked: State, now: State) -> str | None:
        """Why a yes that was said to one state does not hold for another; None when it does."""
        return None

    def request(self, state: State) -> Request[Result]:
        """What is sent, made from what was read again."""
        raise NotImplementedError

    def shown(self, before: State, now: Body | None) -> Shown:
        """What the target shows afterwards."""
        raise NotImplementedError

    def told(self, now: Body | None) -> str:
        """What the target shows instead of what was asked for, as a clause."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready(Change[None, Result]):
    """A change that is part of something a person has agreed to, or of a probe: nothing is asked or read again."""

    sends: Request[Result]

    def request(self, state: None) -> Request[Result]:
        """What is sent."""
        return self.sends


def etag_of(target: ResourceId, there: Body | None) -> str | None:
    """The etag under which to write what was made from `there`; empty to create it, None where Azure has no condition.

    Microsoft.Network compares etags in every type, and only DNS is known to refuse a creation that comes second.
    """
    kind = target.type.lower()
    if not kind.startswith("microsoft.network/"):
        return None
    if there is not None:
        return str(there.get("etag") or "") or None
    return "" if "dnszones" in kind else None
