"""Injected faults: what goes wrong in Azure now and then, on demand and reproducibly.

A plan is a JSON document, `{"seed": 7, "faults": [FAULT, …]}`; each fault has a `kind` and says to which requests it
happens: `method`, `type` (a glob over the resource type), `side` (`isv` or `customer`), `rate` (a probability, 1 if
left out) and `times` (how often at most).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

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
}
"""Every kind of fault that happens to a request, and what it does."""

WRITES = frozenset({"PUT", "PATCH", "POST", "DELETE"})
_ONLY_WRITES = frozenset({"retryable", "busy", "fail-operation"})


@dataclass(slots=True)
class Fault:
    """One line of a plan."""

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
    def parse(cls, fields: Fields) -> Fault:
        """Read one fault; raises the 400 of ARM that names what is wrong."""
        kind = fields.word("kind", *KINDS)
        if not kind:
            raise ArmError(400, "InvalidFault", f"A fault needs a kind: {', '.join(KINDS)}.")
        rate = fields.value("rate")
        if rate is not None and not (isinstance(rate, int | float) and 0 <= rate <= 1):
            raise ArmError(400, "InvalidFault", "The rate of a fault is a number from 0 to 1.")
        seconds = fields.value("retry_after") if kind == "throttle" else fields.value("seconds")
        if seconds is not None and not (isinstance(seconds, int | float) and 0 <= seconds <= 3600):
            raise ArmError(400, "InvalidFault", "The seconds of a fault are a number from 0 to 3600.")
        status = fields.number("status", 502 if kind == "html" else 503)
        if not 400 <= status <= 599:
            raise ArmError(400, "InvalidFault", "The status of a fault is a number from 400 to 599.")
        left = fields.number("times") if "times" in fields else None
        if left is not None and left < 0:
            raise ArmError(400, "InvalidFault", "A fault happens a number of times from 0 on.")
        return cls(
            kind=kind,
            method=fields.text("method").upper(),
            type=fields.text("type", "*").lower(),
            side=fields.word("side", "isv", "customer"),
            rate=1.0 if rate is None else float(rate),
            left=left,
            seconds=1.0 if seconds is None else float(seconds),
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


@dataclass(slots=True)
class Faults:
    """A plan in force; without one every request passes."""

    azure: Azure
    sides: Mapping[str, str]
    """The side's name by its subscription's id, in lower case."""
    happened: list[str] = field(default_factory=list)
    """What was done to which request, `KIND METHOD TYPE`, in the order in which it happened."""
    _plan: list[Fault] = field(default_factory=list)
    _random: random.Random = field(default_factory=random.Random)
    _seen: dict[str, tuple[float, Response]] = field(default_factory=dict)

    def load(self, document: Any) -> None:
        """Put a plan in force instead of the last one. Raises the 400 of ARM that names what is wrong."""
        fields = Fields(document)
        self._plan = [Fault.parse(item) for item in fields.objects("faults")]
        self._random = random.Random(fields.number("seed"))
        self.happened.clear()
        self._seen.clear()

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
