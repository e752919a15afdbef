"""Injected faults: what goes wrong in Azure now and then, on demand and reproducibly.

A plan is a JSON document, `{"seed": 7, "faults": [FAULT, …]}`; each fault has a `kind`. Most kinds happen to requests,
and a fault says to which: `method`, `type` (a glob over the resource type), `side` (`isv` or `customer`), `rate` (a
probability, 1 if left out) and `times` (how often at most). The others happen once to a `machine`, by its name, `after`
so many seconds.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Protocol

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import routing
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Drop, Request, Response
from plstui.sandbox.gateway.operations import doomed

Send = Callable[[Request], Awaitable[Response]]

KINDS: Mapping[str, str] = {
    "throttle": "429 with Retry-After (`retry_after` seconds)",
    "retryable": "429 RetryableError: a resource that is referred to is not ready",
    "busy": "409 AnotherOperationInProgress",
    "error": "an error with `status` (500, 502, 503, 504)",
    "html": "a proxy's HTML page with `status` instead of JSON",
    "slow": "the answer comes `seconds` later",
    "drop": "the connection is cut without an answer",
    "fail-operation": "the long-running operation that the request starts ends as Failed with `code`",
    "expire-tokens": "every token issued so far counts as expired",
    "stale": "a GET is answered as it was answered up to `seconds` ago",
    "hang": "a machine answers nothing any more, on any port",
    "change-host-key": "a machine shows another host key, as one that was set up anew does",
}
"""Every kind of fault, and what it does."""

MACHINE_KINDS = frozenset({"hang", "change-host-key"})
"""The kinds that happen to a machine; the others happen to requests."""

LONGEST = 3600
"""Seconds that anything in a plan may last at most."""

WRITES = frozenset({"PUT", "PATCH", "POST", "DELETE"})
_ONLY_WRITES = frozenset({"retryable", "busy", "fail-operation"})

_OF_REQUESTS = ("kind", "method", "type", "side", "rate", "times", "seconds", "retry_after", "status", "code")
_OF_MACHINES = ("kind", "machine", "after")
"""What a fault may say about itself."""


class Machines(Protocol):
    """The machines as far as faults happen to them."""

    def machine_names(self) -> Sequence[str]:
        """The names of those there are."""

    async def hang_machine(self, name: str) -> None:
        """Let it answer nothing any more."""

    async def change_host_key(self, name: str) -> None:
        """Give it another host key."""


@dataclass(slots=True)
class Fault:
    """One line of a plan that happens to requests."""

    kind: str
    method: str = ""
    type: str = "*"
    side: str = ""
    rate: float = 1.0
    left: int | None = None
    """How often it still happens; None for without end."""
    seconds: float = 1.0
    status: int = 503
    code: str = "InternalServerError"

    @classmethod
    def parse(cls, kind: str, fields: Fields) -> Fault:
        """Read one fault; raises the 400 of ARM that names what is wrong."""
        rate = fields.value("rate")
        if rate is not None and not (isinstance(rate, int | float) and 0 <= rate <= 1):
            raise _invalid("The rate of a fault is a number from 0 to 1.")
        status = fields.number("status", 502 if kind == "html" else 503)
        if not 400 <= status <= 599:
            raise _invalid("The status of a fault is a number from 400 to 599.")
        left = fields.number("times") if "times" in fields else None
        if left is not None and left < 0:
            raise _invalid("A fault happens a number of times from 0 on.")
        return cls(
            kind=kind,
            method=fields.text("method").upper(),
            type=fields.text("type", "*").lower(),
            side=fields.word("side", "isv", "customer"),
            rate=1.0 if rate is None else float(rate),
            left=left,
            seconds=_seconds(fields, "retry_after" if kind == "throttle" else "seconds", 1.0),
            status=status,
            code=fields.text("code", "InternalServerError"),
        )

    def happens_to(self, request: Request, resource_type: str, side: str) -> bool:
        """Whether this request is of the kind that this fault happens to."""
        if self.left == 0 or (self.method and self.method != request.method) or (self.side and self.side != side):
            return False
        if self.kind in _ONLY_WRITES and request.method not in WRITES:
            return False
        if self.kind == "stale" and request.method != "GET":
            return False
        return fnmatchcase(resource_type.lower(), self.type)


@dataclass(frozen=True, slots=True)
class MachineFault:
    """One line of a plan that happens to a machine, once."""

    kind: str
    machine: str
    """Its name, as the machine spells it."""
    after: float
    """Seconds of the sandbox's clock from when the plan came into force."""

    @classmethod
    def parse(cls, kind: str, fields: Fields, names: Sequence[str]) -> MachineFault:
        """Read one fault of the machines with these names; raises the 400 of ARM that names what is wrong."""
        wanted = fields.text("machine")
        if not wanted:
            raise _invalid(f"A fault of kind {kind} needs a machine, by its name.")
        name = next((name for name in names if name.lower() == wanted.lower()), None)
        if name is None:
            raise _invalid(f"There is no machine {wanted[:64]!r}; there are {', '.join(names) or 'none'}.")
        return cls(kind, name, _seconds(fields, "after", 0.0))


def _kind(fields: Fields) -> str:
    """The kind of a fault, which says nothing about itself that its kind does not know."""
    kind = fields.word("kind", *KINDS)
    if not kind:
        raise _invalid(f"A fault needs a kind: {', '.join(KINDS)}.")
    known = _OF_MACHINES if kind in MACHINE_KINDS else _OF_REQUESTS
    for name in fields.raw:
        if name.lower() not in known:
            raise _invalid(f"A fault of kind {kind} has no {name[:64]!r}; it may have {', '.join(known)}.")
    return kind


def _seconds(fields: Fields, name: str, default: float) -> float:
    value = fields.value(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= LONGEST:
        raise _invalid(f"The {name} of a fault is a number of seconds from 0 to {LONGEST}.")
    return float(value)


def _invalid(message: str) -> ArmError:
    return ArmError(400, "InvalidFault", message)


@dataclass(slots=True)
class Faults:
    """A plan in force; without one every request passes."""

    azure: Azure
    sides: Mapping[str, str]
    """The side's name by its subscription's id, in lower case."""
    machines: Machines
    happened: list[str] = field(default_factory=list)
    """What was done, in order: to which request, `KIND METHOD TYPE`, or to which machine, `KIND NAME`."""
    _plan: list[Fault] = field(default_factory=list)
    _random: random.Random = field(default_factory=random.Random)
    _seen: dict[str, tuple[float, Response]] = field(default_factory=dict)
    _strikes: dict[asyncio.Task[None], float] = field(default_factory=dict)
    """What happens to machines, and when by the sandbox's clock."""

    async def load(self, document: Any) -> None:
        """Put a plan in force instead of the last one; what happens to machines at once has happened on return.

        What the last one did to a machine stays done. Raises the 400 of ARM that names what is wrong.
        """
        fields = Fields(document)
        plan: list[Fault] = []
        machine_faults: list[MachineFault] = []
        names = self.machines.machine_names()
        for item in fields.objects("faults"):
            kind = _kind(item)
            if kind in MACHINE_KINDS:
                machine_faults.append(MachineFault.parse(kind, item, names))
            else:
                plan.append(Fault.parse(kind, item))
        seed = fields.number("seed")
        # What has begun ends first: half a change of its host key would leave a machine without SSH.
        await self.settle()
        self.close()
        self._plan = plan
        self._random = random.Random(seed)
        self.happened.clear()
        self._seen.clear()
        now, loop = self.azure.clock.time(), asyncio.get_running_loop()
        self._strikes = {loop.create_task(self._strike(fault)): now + fault.after for fault in machine_faults}
        await self.settle()

    async def settle(self) -> None:
        """Return when what is due to happen to machines has happened."""
        now = self.azure.clock.time()
        due = [task for task, when in self._strikes.items() if when <= now]
        for task in due:
            await asyncio.wait([task])
            self._strikes.pop(task, None)
            if not task.cancelled():
                task.result()

    def close(self) -> None:
        """Let nothing more happen to machines."""
        for task in self._strikes:
            task.cancel()
        self._strikes.clear()

    async def _strike(self, fault: MachineFault) -> None:
        """Let a fault happen to its machine when its time has come."""
        await self.azure.clock.sleep(fault.after)
        # It may have been deleted by now.
        if fault.machine not in self.machines.machine_names():
            return
        do = self.machines.hang_machine if fault.kind == "hang" else self.machines.change_host_key
        await do(fault.machine)
        self.happened.append(f"{fault.kind} {fault.machine}")

    async def handle(self, request: Request, send: Send) -> Response:
        """Answer a request, with whatever happens to it. Raises `Drop` when the connection is to be cut."""
        if not self._plan:
            return await send(request)
        path = routing.parse(request.path)
        kind = path.type if path.pairs else path.collection if path.namespace else "Microsoft.Resources/subscriptions"
        if "operation" in kind.lower() or path.rest[:1] == ("operationresults",):
            # Polls are left alone: a failing operation is a fault of its own.
            return await send(request)
        side = self.sides.get(path.subscription.lower(), "")
        for fault in self._plan:
            if fault.happens_to(request, kind, side) and self._random.random() < fault.rate:
                fault.left = None if fault.left is None else fault.left - 1
                self.happened.append(f"{fault.kind} {request.method} {kind}")
                return await self._do(fault, request, send)
        return await self._remembered(request, await send(request))

    async def _do(self, fault: Fault, request: Request, send: Send) -> Response:
        match fault.kind:
            case "throttle":
                message = "The request is being throttled as the limit has been reached for operation type."
                headers = {"Retry-After": str(round(fault.seconds))}
                return ArmError(429, "TooManyRequests", message, headers=headers).response()
            case "retryable":
                return ArmError(429, "RetryableError", "A retryable error occurred.", details=()).response()
            case "busy":
                message = "Another operation on this or dependent resource is in progress."
                return ArmError(409, "AnotherOperationInProgress", message, details=()).response()
            case "error":
                code = "ServerTimeout" if fault.status in (503, 504) else "InternalServerError"
                return ArmError(fault.status, code, "The request could not be served; try again.").response()
            case "html":
                page = f"<html><head><title>{fault.status}</title></head><body><h1>{fault.status}</h1></body></html>"
                return Response(fault.status, page)
            case "slow":
                await self.azure.clock.sleep(fault.seconds)
                return await send(request)
            case "drop":
                raise Drop
            case "fail-operation":
                with doomed(ArmError(400, fault.code, "The operation failed by an injected fault.", details=())):
                    return await send(request)
            case "expire-tokens":
                self.azure.directory.expire_tokens()
                return await send(request)
            case _:
                seen = self._seen.get(_key(request))
                if seen and self.azure.clock.time() - seen[0] <= fault.seconds:
                    return seen[1]
                return await self._remembered(request, await send(request))

    async def _remembered(self, request: Request, response: Response) -> Response:
        if request.method == "GET" and any(fault.kind == "stale" for fault in self._plan):
            self._seen[_key(request)] = (self.azure.clock.time(), response)
        return response


def _key(request: Request) -> str:
    return f"{request.path.lower()}?{sorted(request.query.items())}"
