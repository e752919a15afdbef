"""The control endpoint: what tests and rehearsals do to a sandbox that Azure would let nobody do."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Protocol

from plstui.sandbox.azure import Azure
from plstui.sandbox.faults import Faults
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields, read
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.providers.compute import sizes
from plstui.sandbox.providers.network import usages

ROOT = "/sandbox"
"""Where the control endpoint begins; no ARM path does."""


FARTHEST = 10 * 365 * 86400
"""Seconds that the clock may be turned by at once."""

_QUOTAS = {name.lower(): name for name in (*sizes.QUOTA_NAMES, *usages.QUOTA_NAMES)}


class Machines(Protocol):
    """The machines as far as they can be controlled from outside."""

    async def stop_machine(self, name: str) -> None:
        """Pull the plug; raises `KeyError` for an unknown name."""

    async def start_machine(self, name: str) -> None:
        """Start it, or wake it from hanging; raises `KeyError`."""

    async def hang_machine(self, name: str) -> None:
        """Let it answer nothing any more; raises `KeyError`."""

    async def break_web(self, name: str) -> None:
        """Stop its web server; raises `KeyError`."""

    async def change_host_key(self, name: str) -> None:
        """Give it another host key, as a machine that was set up anew has; raises `KeyError`."""


class Control:
    """Answers only those who know its token."""

    def __init__(self, azure: Azure, machines: Machines, faults: Faults, counters: Mapping[str, int]) -> None:
        self.token = azure.keyring.password("control")
        self._azure = azure
        self._machines = machines
        self._faults = faults
        self._counters = counters

    async def handle(self, request: Request) -> Response | None:
        """The answer, or None when the path is not here."""
        if request.path != ROOT and not request.path.startswith(ROOT + "/"):
            return None
        try:
            self._admit(request)
            return await self._answer(request)
        except ArmError as error:
            return error.response()

    def _admit(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self.token.encode()):
            raise ArmError(401, "AuthenticationFailed", "The control endpoint wants the token in ready.json.")

    async def _answer(self, request: Request) -> Response:
        match [request.method, *request.path.removeprefix(ROOT).strip("/").split("/")]:
            case ["GET", "state"]:
                return Response(200, {"resources": [_without_secrets(body) for body in self._azure.store]})
            case ["GET", "counters"]:
                return Response(200, dict(self._counters))
            case ["GET", "faults"]:
                return Response(200, {"happened": self._faults.happened})
            case ["POST", "faults"]:
                await self._faults.load(read(request.content))
                return Response(204)
            case ["POST", "machines", name, verb]:
                await self._control_machine(name, verb)
                return Response(204)
            case ["POST", "quotas"]:
                self._set_quota(Fields(read(request.content)))
                return Response(204)
            case ["POST", "clock", "advance"]:
                seconds = Fields(read(request.content)).number("seconds", -1)
                if not 0 <= seconds <= FARTHEST:
                    raise ArmError(
                        400, "InvalidClock", f'The clock turns forward by {{"seconds": N}}, at most {FARTHEST}.'
                    )
                self._azure.clock.advance(seconds)
                await self._azure.operations.settle()
                await self._faults.settle()
                return Response(200, {"now": self._azure.clock.now().isoformat()})
            case _:
                raise ArmError(404, "NotFound", f"The control endpoint has no {request.method} {request.path}.")

    def _set_quota(self, fields: Fields) -> None:
        subscription, name, limit = fields.text("subscription"), fields.text("name"), fields.number("limit", -1)
        if subscription.lower() not in self._azure.directory.subscriptions or not name or limit < 0:
            raise ArmError(400, "InvalidQuota", "A quota has a subscription's id, a name and a limit from 0 on.")
        if name.lower() not in _QUOTAS:
            known = ", ".join(_QUOTAS.values())
            raise ArmError(400, "InvalidQuota", f"There is no quota {name[:60]!r}; there are {known}.")
        self._azure.quotas.set_limit(subscription, name, limit)

    async def _control_machine(self, name: str, verb: str) -> None:
        do = {
            "stop": self._machines.stop_machine,
            "start": self._machines.start_machine,
            "hang": self._machines.hang_machine,
            "break-web": self._machines.break_web,
            "change-host-key": self._machines.change_host_key,
        }.get(verb)
        if do is None:
            raise ArmError(404, "NotFound", f"A machine cannot be told to {verb!r}.")
        try:
            await do(name)
        except KeyError:
            raise ArmError(404, "NotFound", f"There is no machine {name!r}.") from None


def _without_secrets(body: Mapping[str, object]) -> Mapping[str, object]:
    """A resource without what was only ever meant to be written."""
    properties = body.get("properties")
    if isinstance(properties, dict) and isinstance(properties.get("osProfile"), dict):
        profile = {k: v for k, v in properties["osProfile"].items() if k not in ("customData", "adminPassword")}
        return {**body, "properties": {**properties, "osProfile": profile}}
    return body
