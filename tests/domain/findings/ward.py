"""Both sides of a private link in a sandbox of this process, to be broken through ARM and looked at by the doctor.

Each test gets a sandbox of its own, from resources that were built once: that takes a few hundredths of a second.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from plstui.arm import road
from plstui.arm.bodies import Bodies
from plstui.arm.fields import every
from plstui.arm.reader import CONVERTERS
from plstui.arm.writer import Writer
from plstui.cli.doctor import report
from plstui.cli.output import EXIT_OK
from plstui.cli.session import read_both
from plstui.compose import Composer, Options
from plstui.domain.errors import Retrying
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import NotRead, Outcome, Snapshot
from plstui.domain.world import World
from plstui.engine.gate import unasked
from plstui.engine.ports import SystemClock
from plstui.engine.runtime import Runtime
from plstui.lab.cloudinit import user_data
from plstui.lab.consumer import Consumer
from plstui.lab.lab import Lab
from plstui.lab.progress import silent
from plstui.lab.provider import Provider
from plstui.lab.runner import Run
from plstui.lab.session import all_targets, approve, subscriptions
from plstui.lab.steps import Choices, Workshop, workshop
from plstui.sandbox.account import COMPUTE, RESOURCES, Account
from plstui.sandbox.azure import Azure, NoBackplane
from plstui.sandbox.gateway.https import HttpsServer
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.latency import Latency
from plstui.sandbox.parties import Party
from plstui.sandbox.sandbox import Sandbox
from plstui.sandbox.scenarios import Builder
from plstui.sandbox.statedir import StateDir
from plstui.sandbox.store import Body

_PRIVATE = Ed25519PrivateKey.generate()
KEY = _PRIVATE.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
_PRIVATE_TEXT = _PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
).decode()

JUMPS = {Side.ISV: "web1", Side.CUSTOMER: "testVM"}
ROUNDS = 9
"""Remedies after one another that a world may take: a whole lab has to be built where there is next to nothing."""

_built: dict[str, list[Body]] = {}


async def resources_of(world: str) -> list[Body]:
    """The resources of a world, built once."""
    if world not in _built:
        box = Sandbox()
        box.azure.backplane = NoBackplane()
        accounts = [
            Account(party.subscription.id, partial(box.gateway.handle_for, party.owner))
            for party in (box.isv, box.customer)
        ]
        builder = Builder(
            *accounts, public_key=KEY, web_user_data=user_data("web"), client_user_data=user_data("client")
        )
        await builder.build(world)
        await box.azure.operations.settle()
        box.azure.operations.close()
        _built[world] = list(box.azure.store)
    return _built[world]


Meddle = Callable[[Request], Awaitable[Response | None]]


def named(body: dict[str, Any], collection: str, name: str) -> dict[str, Any]:
    """The properties of one of the named things in a resource."""
    (found,) = (item for item in body["properties"][collection] if item["name"] == name)
    properties: dict[str, Any] = found["properties"]
    return properties


class Owner(Writer, Bodies):
    """Looks at the resources of one side and changes them, past plstui's gate."""


@dataclass
class Ward:
    """One world and a plstui that is attached to it."""

    box: Sandbox
    runtime: Runtime
    lab: Workshop
    meddle: Meddle | None = None
    """Sees each request before Azure does; what it returns is the answer, None lets the request pass."""

    @property
    def isv(self) -> Owner:
        """The ISV's resources through the SDK."""
        return self._owner(Side.ISV)

    @property
    def customer(self) -> Owner:
        """The customer's resources through the SDK."""
        return self._owner(Side.CUSTOMER)

    def _owner(self, side: Side) -> Owner:
        bodies = self.runtime.bodies[side]
        assert isinstance(bodies, Bodies)
        return Owner(bodies._road)

    @property
    def provider(self) -> Provider:
        """The ids of what the ISV has."""
        assert self.lab.provider
        return self.lab.provider

    @property
    def consumer(self) -> Consumer:
        """The ids of what the customer has."""
        assert self.lab.consumer
        return self.lab.consumer

    # Breaking

    def _side(self, resource_id: ResourceId) -> Owner:
        return self.isv if resource_id.subscription == self.box.isv.subscription.id else self.customer

    async def get(self, resource_id: ResourceId) -> dict[str, Any]:
        """A resource that is there."""
        body = await self._side(resource_id).get(resource_id)
        assert body is not None, resource_id
        return body

    async def put(self, resource_id: ResourceId, body: dict[str, Any]) -> None:
        """Create or change a resource."""
        await self._side(resource_id).put(resource_id, body)

    async def delete(self, *resource_ids: ResourceId) -> None:
        """Delete resources, one after the other."""
        for resource_id in resource_ids:
            await self._side(resource_id).delete(resource_id)

    @asynccontextmanager
    async def changing(self, resource_id: ResourceId) -> AsyncIterator[dict[str, Any]]:
        """A resource as it is; what the block makes of it is sent."""
        body = await self.get(resource_id)
        yield body
        await self.put(resource_id, body)

    async def act(self, verb: str, *machines: ResourceId) -> None:
        """Do something to machines, like `deallocate`, as the portal does."""
        for machine in machines:
            party = self.box.isv if machine.subscription == self.box.isv.subscription.id else self.box.customer
            account = Account(machine.subscription, partial(self.box.gateway.handle_for, party.owner))
            await account.request("POST", f"{machine}/{verb}", COMPUTE)
        await self.box.azure.operations.settle()

    async def register(self, side: Side, namespace: str, verb: str) -> None:
        """Register a provider in a subscription, or `unregister` it."""
        party = self.box.isv if side is Side.ISV else self.box.customer
        account = Account(party.subscription.id, partial(self.box.gateway.handle_for, party.owner))
        path = f"/subscriptions/{party.subscription.id}/providers/{namespace}/{verb}"
        await account.request("POST", path, RESOURCES)
        await self.box.azure.operations.settle()

    async def connection(self) -> dict[str, Any]:
        """The one connection, as the service has it."""
        (connection,) = (await self.get(self.provider.service))["properties"]["privateEndpointConnections"]
        return dict(connection)

    async def decide(self, status: str) -> None:
        """Set the status of the one connection."""
        connection = await self.connection()
        connection["properties"]["privateLinkServiceConnectionState"]["status"] = status
        await self.put(ResourceId(connection["id"]), connection)

    # Looking

    async def world(self, *, probe: bool = False, settled: bool = True) -> World:
        """All there is to know; with a probe also what every page says and how machines were set up.

        Machines are waited for until they are done with that, unless one of them never is.
        """
        if settled:
            await self.box.network.settled()
        results: list[TargetResult] = []
        if probe:
            await read_both(self.runtime)
            results = [r async for r in self.runtime.prober.probe(await all_targets(self.runtime), 6)]
        return await self.runtime.doctor().examine(results, inside=self.runtime.gate if probe else None)

    async def findings(self, *, probe: bool = False, settled: bool = True) -> tuple[Finding, ...]:
        """What `plstui doctor --json` says."""
        return told(await self.world(probe=probe, settled=settled))

    async def first(self, *, probe: bool = False, settled: bool = True) -> Finding:
        """What `plstui doctor --json` says first."""
        return (await self.findings(probe=probe, settled=settled))[0]

    async def list_lags(self, side: Side, kind: str) -> None:
        """From now on a side's list of a type stays as it is, as a list of ARM's may for a while after a write."""
        fault = {"kind": "stale", "method": "GET", "type": kind, "side": side.value, "seconds": 3600}
        await self.box.faults.load({"faults": [fault]})
        await self._owner(side).collect(f"/subscriptions/{subscriptions(self.runtime)[side]}/providers/{kind}", kind)

    async def page(self, patience: int = 10) -> str:
        """What the customer's test machine gets by the endpoint's name within some seconds; empty for nothing."""
        await self.box.network.settled()
        name = f"{self.consumer.record.name}.{self.consumer.zone.name}"
        return await self.customer.run_command(self.consumer.machine, f"curl -s -m {patience} http://{name}")

    async def comes(self) -> bool:
        """Whether one of the lab's pages comes through the endpoint, by its name."""
        return (await self.page()).startswith("Host: web")

    async def silent(self) -> bool:
        """Whether nothing comes through the endpoint."""
        return await self.page(1) == ""

    # Healing

    async def apply(self, finding: Finding) -> None:
        """Do what a finding says mends it, as the key or `lab up --step` would."""
        if finding.fix == "approve":
            await approve(self.runtime, self.lab, unasked)
            return
        kind, _, name = finding.fix.partition(":")
        assert kind == "step", finding
        await self.up(name)

    async def up(self, *steps: str) -> None:
        """Take steps of the lab, all where none is named."""
        lab = Lab(self.lab, self.runtime.bodies, self.runtime.gate, SystemClock())
        wanted = list(map(self.lab.step, steps)) or self.lab.steps

        async def decide(_: Retrying) -> None:
            await approve(self.runtime, self.lab, unasked)

        await Run(lab, await lab.survey(), silent, decide).up(wanted)

    async def mend(self, *, probe: bool = False) -> list[str]:
        """Apply the remedy of whatever is first, until nothing is wrong; which rules it took."""
        rules: list[str] = []
        for _ in range(ROUNDS):
            wrong = [f for f in await self.findings(probe=probe) if f.severity is not Severity.INFO]
            if not wrong:
                return rules
            rules.append(wrong[0].rule)
            await self.apply(wrong[0])
        raise AssertionError(f"still not well after {rules}")


def told(world: World) -> tuple[Finding, ...]:
    """The findings in the document that `plstui doctor --json` prints of a world."""
    with redirect_stdout(StringIO()) as printed:
        exit_code = report(world, as_json=True)
    document = json.loads(printed.getvalue())
    findings = tuple(map(_finding, document["findings"]))
    assert document["ok"] is (exit_code == EXIT_OK)
    return findings


def _finding(told: dict[str, Any]) -> Finding:
    return Finding(
        rule=told["rule"],
        severity=Severity(told["severity"]),
        where=ResourceId(told["where"]),
        what=told["what"],
        remedy=told["remedy"],
        evidence=told["evidence"],
        az=told["az"] or "",
        fix=told["fix"] or "",
    )


def altered(world: World, raw: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> World:
    """The same with one resource, of which `raw` is what ARM answers, as Azure would never let anybody make it."""
    resource_id, body = ResourceId(raw["id"]), deepcopy(raw)
    change(body)
    kind = next(kind for kind in Kind if resource_id.is_type(kind))
    for side in Side:
        snapshot = world.side(side)
        if snapshot and snapshot.subscription.lower() == resource_id.subscription.lower():
            others = (one for one in getattr(snapshot, kind.field) if one.id != resource_id)
            listed: dict[str, Any] = {kind.field: (*others, *every(CONVERTERS[kind], [body]))}
            return seen(world, side, replace(snapshot, **listed))
    raise AssertionError(f"no side has {resource_id}")


def seen(world: World, side: Side, snapshot: Snapshot | None) -> World:
    """The same with one side as it is here."""
    return replace(world, isv=snapshot) if side is Side.ISV else replace(world, customer=snapshot)


def blinded(world: World, *kinds: Kind) -> World:
    """The same for somebody who may not list these types on either side."""
    refused = {kind: NotRead(Outcome.NOT_ALLOWED, "The client may not do that.") for kind in kinds}
    for side in Side:
        if snapshot := world.side(side):
            empty: dict[str, Any] = {kind.field: () for kind in kinds}
            empty |= {"not_read": {**snapshot.not_read, **refused}, "health": ()}
            world = seen(world, side, replace(snapshot, **empty))
    return world


@asynccontextmanager
async def ward(
    folder: Path, monkeypatch: pytest.MonkeyPatch, world: str = "approved", *, readers: tuple[Side, ...] = ()
) -> AsyncIterator[Ward]:
    """A world with its machines running; for `readers`, plstui may look and nothing else."""
    # Nothing here takes any time, so nobody has to wait between two questions about it.
    monkeypatch.setattr(road, "POLL_SECONDS", 0.001)
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    box = Sandbox(Azure(latency=Latency.NONE))
    for body in await resources_of(world):
        box.azure.store.put(body)
    made: list[Ward] = []

    async def handle(request: Request) -> Response:
        meddle = made[0].meddle if made else None
        return (await meddle(request) if meddle else None) or await box.handle(request)

    server = HttpsServer(handle)
    state = StateDir.open(folder / "sandbox")
    await server.start()
    try:
        await box.start()
        await box.network.settled()
        state.write("id_ed25519", _PRIVATE_TEXT)
        state.write_ssh(box.network.ssh_endpoints())
        state.write("ca.pem", server.authority)
        parties = {Side.ISV: box.isv, Side.CUSTOMER: box.customer}
        lines = ["[azure]", f'arm = "https://127.0.0.1:{server.port}"', f"ca = {json.dumps(str(state.file('ca.pem')))}"]
        # What does not come need not be waited for long.
        lines += ["[probe]", "connect_timeout = 2.0"]
        for side, party in parties.items():
            lines += _settings(state, side, party, reads=side in readers)
        runtime = await Composer(Options(config=state.write("plstui.toml", "\n".join(lines)))).connect()
        try:
            choices = Choices(region="westeurope", size="Standard_B2s", public_key=KEY, run="r1")
            made.append(Ward(box, runtime, workshop(runtime.lab, subscriptions(runtime), choices)))
            yield made[0]
        finally:
            await runtime.close()
    finally:
        await server.stop()
        await box.stop()
        state.remove()


def _settings(state: StateDir, side: Side, party: Party, *, reads: bool) -> list[str]:
    client = party.reader if reads else party.owner
    secret = state.write(f"{side}.secret", client.secret)
    return [
        f"[{side}]",
        f'subscription = "{party.subscription.id}"',
        f'tenant = "{party.subscription.tenant}"',
        f'client_id = "{client.client_id}"',
        f"client_secret_file = {json.dumps(str(secret))}",
        f"[{side}.ssh]",
        f'jump = "{JUMPS[side]}"',
        f"ssh_config = {json.dumps(str(state.path / 'ssh_config'))}",
        f"known_hosts = {json.dumps(str(state.path / 'known_hosts'))}",
    ]
