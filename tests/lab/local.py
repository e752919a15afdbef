"""A local Azure in this process, behind its HTTPS face, and the lab on top of it as `compose.py` joins it.

Every request passes through here, so that a test can read what was sent, in order, and answer in Azure's stead what
the sandbox has no way to. Waiting turns the sandbox's clock: nothing is waited for by the clock on the wall.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncssh

from plstui.arm.side import ArmSide, open_side
from plstui.config.settings import Azure as AzureSettings
from plstui.config.settings import Lab as LabSettings
from plstui.config.settings import Settings, SideSettings
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.engine.journal import Journal
from plstui.engine.writes import Writes
from plstui.lab.runner import Lab
from plstui.lab.steps import Choices, workshop
from plstui.sandbox.account import Account
from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.https import HttpsServer
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.parties import Party
from plstui.sandbox.sandbox import Sandbox

ISV_GROUP = "privatelink-pls-microhack-rg"
CUSTOMER_GROUP = "privatelink-dns-microhack-rg"
PUBLIC_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()

Meddle = Callable[[Request], Awaitable[Response | None]]
"""Sees a request before Azure does; what it returns is the answer, None lets it pass."""


class TurningClock:
    """The sandbox's time as the engine's ports want it: whoever waits turns it."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return self._clock.now()

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._clock.time()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Let the time pass at once."""
        self._clock.advance(seconds)
        await asyncio.sleep(0)
        return event.is_set()


@dataclass
class Local:
    """A sandbox, and what has been asked of it."""

    sandbox: Sandbox
    lab: Lab
    sent: list[str] = field(default_factory=list)
    """Every write that came, `DELETE name`, in order."""
    meddle: Meddle | None = None

    async def handle(self, request: Request) -> Response:
        """Take note of a request and answer it."""
        if request.method in ("PUT", "PATCH", "DELETE"):
            self.sent.append(f"{request.method} {ResourceId(request.path).name}")
        answer = await self.meddle(request) if self.meddle else None
        return answer or await self.sandbox.handle(request)

    def deleted(self) -> list[str]:
        """The names in the DELETEs, in order."""
        return [line.removeprefix("DELETE ") for line in self.sent if line.startswith("DELETE ")]

    def left(self) -> list[str]:
        """The ids of everything that is in the two subscriptions."""
        mine = (self.sandbox.isv.subscription.id, self.sandbox.customer.subscription.id)
        return [body["id"] for body in self.sandbox.azure.store if ResourceId(body["id"]).subscription in mine]

    def account(self, party: Party) -> Account:
        """A way past plstui, for what others do."""

        async def send(request: Request) -> Response:
            return await self.sandbox.gateway.handle_for(party.owner, request)

        return Account(party.subscription.id, send)

    async def tag(self, *groups: str) -> None:
        """Let groups carry what plstui's own carry."""
        for party, name in ((self.sandbox.isv, ISV_GROUP), (self.sandbox.customer, CUSTOMER_GROUP)):
            if name in groups:
                path = f"/subscriptions/{party.subscription.id}/resourceGroups/{name}"
                tags = {"created-by": "plstui", "plstui-run": "r1"}
                await self.account(party).request("PATCH", path, "2022-09-01", {"tags": tags})


@asynccontextmanager
async def local(
    folder: Path,
    world: str,
    *,
    sides: Iterable[Side] = tuple(Side),
    settings: LabSettings | None = None,
    read_only: bool = False,
) -> AsyncIterator[Local]:
    """A world, and the lab with these sides configured."""
    sandbox = Sandbox()
    await sandbox.build(world, public_key=PUBLIC_KEY, web_user_data="", client_user_data="")
    made: list[Local] = []
    server = HttpsServer(lambda request: made[0].handle(request))
    await server.start()
    opened: dict[Side, ArmSide] = {}
    try:
        authority = folder / "ca.pem"
        server.write_authority(authority)
        azure = AzureSettings(arm=f"https://127.0.0.1:{server.port}", ca=str(authority))
        parties = {Side.ISV: sandbox.isv, Side.CUSTOMER: sandbox.customer}
        isv, customer = (_sign_in(folder, party) for party in parties.values())
        both = Settings(azure=azure, isv=isv, customer=customer)
        opened = {side: open_side(both, side) for side in sides}
        subscriptions = {side: parties[side].subscription.id for side in opened}
        choices = Choices(region="westeurope", size="Standard_B2s", public_key=PUBLIC_KEY, run="r1")
        lab = Lab(
            workshop(settings or LabSettings(), subscriptions, choices),
            {side: arm.bodies for side, arm in opened.items()},
            Writes(Journal(folder / "journal.jsonl"), (), read_only=read_only),
            TurningClock(sandbox.azure.clock),
            lambda _: "",
        )
        made.append(Local(sandbox, lab))
        yield made[0]
    finally:
        for arm in opened.values():
            await arm.reader.close()
        await server.stop()
        await sandbox.stop()


def _sign_in(folder: Path, party: Party) -> SideSettings:
    secret = folder / f"{party.name}.secret"
    secret.write_text(party.owner.secret)
    secret.chmod(0o600)
    return SideSettings(
        subscription=party.subscription.id,
        tenant=party.subscription.tenant,
        client_id=party.owner.client_id,
        client_secret_file=str(secret),
    )


def names(ids: Sequence[str]) -> list[str]:
    """The last name in each id."""
    return [ResourceId(text).name for text in ids]
