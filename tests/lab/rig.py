"""The lab's engine on the real SDK against a sandbox in this process, whose clock nobody waits for.

Every request passes `Rig.handle`, so a test can count writes, let something happen before or after one, answer in
Azure's stead what the sandbox has no way to, and look at what the sandbox holds in the end.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plstui.compose import Composer, Options
from plstui.domain.errors import Retrying
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.gate import unasked
from plstui.engine.ports import Clock
from plstui.engine.runtime import Runtime
from plstui.lab.cloudinit import user_data
from plstui.lab.lab import Lab
from plstui.lab.parts import Step, StepState
from plstui.lab.progress import Event, Kind, StepStatus
from plstui.lab.provider import Provider
from plstui.lab.runner import Approve, Run
from plstui.lab.session import approve, subscriptions
from plstui.lab.steps import Choices, Workshop, workshop
from plstui.sandbox.account import Account
from plstui.sandbox.azure import Azure
from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.https import HttpsServer
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Client
from plstui.sandbox.latency import Latency
from plstui.sandbox.sandbox import Sandbox

KEY = (
    Ed25519PrivateKey.generate()
    .public_key()
    .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    .decode()
)
WRITES = frozenset({"PUT", "PATCH", "POST", "DELETE"})

ISV_GROUP = "privatelink-pls-microhack-rg"
CUSTOMER_GROUP = "privatelink-dns-microhack-rg"

Hook = Callable[[Request], Awaitable[None]]
Meddle = Callable[[Request], Awaitable[Response | None]]


async def nothing(_: Request) -> None:
    """What happens around a request when a test has nothing in mind."""


@dataclass(frozen=True)
class SandboxTime:
    """The engine's clock: waiting turns the sandbox's forward, so nothing takes longer than the work itself."""

    clock: SandboxClock

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self.clock.now()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self.clock.time()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Let the time pass at once; whether the event came."""
        self.clock.advance(seconds)
        await asyncio.sleep(0)
        return event.is_set()


@dataclass
class Session:
    """A running plstui."""

    runtime: Runtime
    clock: Clock
    key: str = KEY
    size: str = "Standard_B2s"
    password: str = ""
    events: list[Event] = field(default_factory=list)
    tell: Callable[[Event], None] = lambda _: None
    """Hears of each event when it happens."""

    @property
    def workshop(self) -> Workshop:
        """The steps for these settings."""
        choices = Choices(region="westeurope", size=self.size, public_key=self.key, run="r1", password=self.password)
        return workshop(self.runtime.lab, subscriptions(self.runtime), choices)

    @property
    def provider(self) -> Provider:
        """The ISV's half."""
        provider = self.workshop.provider
        assert provider is not None
        return provider

    @property
    def lab(self) -> Lab:
        """The lab between the two subscriptions."""
        return Lab(self.workshop, self.runtime.bodies, self.runtime.gate, self.clock)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        self.tell(event)

    async def run(self, *, approves: bool = True) -> Run:
        """A run from what Azure holds now."""
        lab = self.lab

        async def decide(retrying: Retrying) -> None:
            await approve(self.runtime, lab.workshop, unasked, retrying)

        decision: Approve | None = decide if approves else None
        return Run(lab, await lab.survey(self._hear), self._hear, decision)

    async def up(self, *, approves: bool = True, until: str = "", only: str = "") -> Run:
        """Build what is missing: everything that these subscriptions take part in, or a part of the steps."""
        run = await self.run(approves=approves)
        await run.up(self.steps(until=until, only=only))
        return run

    def steps(self, *, until: str = "", only: str = "") -> tuple[Step, ...]:
        """The steps to take."""
        lab = self.workshop
        if only:
            return (lab.step(only),)
        steps = lab.steps[: lab.step(until).number] if until else lab.steps
        return tuple(step for step in steps if not step.absent)

    def told(self, kind: Kind) -> list[str]:
        """The texts of the events of a kind."""
        return [event.text for event in self.events if event.kind is kind]


@dataclass
class Rig:
    """A sandbox that is served in this process."""

    sandbox: Sandbox
    folder: Path
    lab: Lab = field(init=False)
    """The lab of the one session that `lab_on` opens."""
    meddle: Meddle = nothing
    """Sees every request before Azure does; what it returns is the answer, None lets it pass."""
    before: Hook = nothing
    """Happens before a write is handled."""
    after: Hook = nothing
    """Happens after a write was handled and before its answer is sent."""
    written: list[str] = field(default_factory=list)
    """Every write, `PUT /path`, in order; questions about health are none."""

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        if not _is_write(request):
            return await self.meddle(request) or await self.sandbox.handle(request)
        self.written.append(f"{request.method} {request.path}")
        await self.before(request)
        response = await self.meddle(request) or await self.sandbox.handle(request)
        await self.after(request)
        return response

    def deleted(self) -> list[str]:
        """The names in the DELETEs, in order."""
        return names([what.removeprefix("DELETE ") for what in self.written if what.startswith("DELETE ")])

    def left(self) -> list[str]:
        """The ids of everything that is in the two subscriptions."""
        mine = (self.sandbox.isv.subscription.id, self.sandbox.customer.subscription.id)
        return [body["id"] for body in self.sandbox.azure.store if ResourceId(body["id"]).subscription in mine]

    async def tag(self, *groups: str) -> None:
        """Let groups carry what plstui's own carry."""
        for side, name in ((Side.ISV, ISV_GROUP), (Side.CUSTOMER, CUSTOMER_GROUP)):
            if name in groups:
                owner = self.account(side)
                path = f"/subscriptions/{owner.subscription}/resourceGroups/{name}"
                tags = {"created-by": "plstui", "plstui-run": "r1"}
                await owner.request("PATCH", path, "2022-09-01", {"tags": tags})

    @property
    def clock(self) -> SandboxTime:
        """The sandbox's time as the engine sees it."""
        return SandboxTime(self.sandbox.azure.clock)

    @property
    def config(self) -> Path:
        """The settings file that attaches to it."""
        return self.folder / "plstui.toml"

    @asynccontextmanager
    async def session(
        self,
        *,
        sides: tuple[Side, ...] = tuple(Side),
        lab: dict[str, Any] | None = None,
        ui: dict[str, Any] | None = None,
        sign_in: dict[Side, Client] | None = None,
        **more: Any,
    ) -> AsyncIterator[Session]:
        """A plstui that is attached to it, for some sides, with settings of its own and other people's sign-in."""
        off = {side.value: {"subscription": ""} for side in Side if side not in sides}
        others = {side.value: self._signed_in(client) for side, client in (sign_in or {}).items()}
        composer = Composer(Options(config=self.config, override={**off, **others, "lab": lab or {}, "ui": ui or {}}))
        runtime = await composer.connect()
        try:
            yield Session(runtime, self.clock, **more)
        finally:
            await runtime.close()

    def _signed_in(self, client: Client) -> dict[str, str]:
        secret = self.folder / f"{client.client_id}.secret"
        secret.write_text(client.secret)
        secret.chmod(0o600)
        return {"client_id": client.client_id, "client_secret_file": str(secret)}

    def account(self, side: Side) -> Account:
        """A side's owner at work by hand, past the program and the count of its writes."""
        party = self.sandbox.isv if side is Side.ISV else self.sandbox.customer
        return Account(party.subscription.id, partial(self.sandbox.gateway.handle_for, party.owner))

    def body(self, name: str) -> dict[str, Any]:
        """The one resource of a name, as ARM shows it."""
        (found,) = (body for body in self.sandbox.azure.store if body["name"].lower() == name.lower())
        return found

    async def state(self) -> dict[str, Any]:
        """Every resource by id, without what differs from one lab to the next: guids, etags, times, addresses."""
        azure = self.sandbox.azure
        await azure.operations.settle()
        for party in (self.sandbox.isv, self.sandbox.customer):
            _NAMES[party.subscription.id] = party.name
        plain = [_plain(body) for body in azure.store]
        return {body["id"]: body for body in plain}


_NAMES: dict[str, str] = {}
"""Subscriptions by a name of ours: guids are blotted out."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)")
_ADDRESS = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b(?!/)")
_DIFFERS = frozenset(
    {
        *("etag", "resourceguid", "macaddress", "linkidentifier", "internalid", "publickey", "keydata", "customdata"),
        "plstui-run",
    }
)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key.lower() not in _DIFFERS}
    if isinstance(value, list):
        # In which order machines came to a subnet or a pool says nothing about the lab.
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, str):
        for subscription, name in _NAMES.items():
            value = value.replace(subscription, name)
        return _ADDRESS.sub("ADDRESS", _TIME.sub("TIME", _GUID.sub("GUID", value)))
    return value


def _is_write(request: Request) -> bool:
    control = request.path.startswith("/sandbox") or request.path.endswith(("/oauth2/v2.0/token", "/health"))
    return request.method in WRITES and not control


@asynccontextmanager
async def rig(folder: Path, world: str = "empty") -> AsyncIterator[Rig]:
    """A sandbox with a world, for as long as the block runs."""
    sandbox = Sandbox(Azure(latency=Latency.NONE))
    made = Rig(sandbox, folder)
    server = HttpsServer(made.handle)
    await server.start()
    try:
        (folder / "ca.pem").write_text(server.authority)
        _write_settings(sandbox, folder, server.port)
        await sandbox.start()
        await sandbox.build(world, public_key=KEY, web_user_data=user_data("web"), client_user_data=user_data("client"))
        yield made
    finally:
        await server.stop()
        await sandbox.stop()


@asynccontextmanager
async def lab_on(
    folder: Path,
    world: str,
    *,
    sides: tuple[Side, ...] = tuple(Side),
    settings: dict[str, Any] | None = None,
    read_only: bool = False,
) -> AsyncIterator[Rig]:
    """The same with one plstui attached to it, whose lab the rig holds."""
    ui = {"read_only": read_only}
    async with rig(folder, world) as made, made.session(sides=sides, lab=settings, ui=ui) as session:
        made.lab = session.lab
        yield made


def _write_settings(sandbox: Sandbox, folder: Path, port: int) -> None:
    lines = ["[azure]", f'arm = "https://127.0.0.1:{port}"', f"ca = {json.dumps(str(folder / 'ca.pem'))}"]
    for party in (sandbox.isv, sandbox.customer):
        secret = folder / f"{party.name}.secret"
        secret.write_text(party.owner.secret)
        secret.chmod(0o600)
        lines += [f"[{party.name}]", f'subscription = "{party.subscription.id}"', f'tenant = "{party.owner.tenant}"']
        lines += [f'client_id = "{party.owner.client_id}"', f"client_secret_file = {json.dumps(str(secret))}"]
    (folder / "plstui.toml").write_text("\n".join(lines))


def names(ids: Sequence[str]) -> list[str]:
    """The last name in each id."""
    return [ResourceId(text).name for text in ids]


def undone(statuses: tuple[StepStatus, ...]) -> Iterator[str]:
    """The steps that are not done, but for the page that only a probe opens."""
    for status in statuses:
        if status.state is not StepState.DONE and not status.step.opens_page:
            yield f"{status.step.id} is {status.state}: {status.because}"


def zones_of(rig: Rig) -> list[list[str]]:
    """The zone of each of the three machines, as Azure answers it."""
    return [rig.body(f"web{number}")["zones"] for number in (1, 2, 3)]
