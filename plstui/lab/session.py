"""The lab joined to a running session: what the command line and the lab screen both start from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from plstui.domain.connection import Connection, Verb
from plstui.domain.decision import Decision, decision
from plstui.domain.errors import AzureError, RefusedError, Retrying
from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from plstui.domain.targets import addresses, targets
from plstui.domain.world import Link, World
from plstui.engine.gate import Confirm
from plstui.engine.ports import SystemClock
from plstui.engine.runtime import Runtime
from plstui.lab.guide import COMMANDS, Guide
from plstui.lab.lab import Lab
from plstui.lab.provider import PORT
from plstui.lab.steps import Choices, Workshop, workshop


def lab_of(runtime: Runtime, choices: Choices, guide: Guide = COMMANDS) -> Lab:
    """The lab between the subscriptions of a session; `guide` words what a person does next."""
    made = workshop(runtime.lab, subscriptions(runtime), choices)
    return Lab(made, runtime.bodies, runtime.gate, SystemClock(), guide)


def subscriptions(runtime: Runtime) -> dict[Side, str]:
    """The subscription of each side that is configured."""
    return {side: watcher.snapshot.subscription for side, watcher in runtime.watchers.items()}


async def approve(
    runtime: Runtime, lab: Workshop, confirm: Confirm[Decision, Connection], retrying: Retrying | None = None
) -> None:
    """Make the ISV's decision on the lab's request, through the gate that all decisions pass. Raises `PlstuiError`."""
    if Side.ISV not in runtime.watchers or lab.consumer is None:
        raise RefusedError("Only the ISV can approve, and its subscription is not set.")
    isv = runtime.watchers[Side.ISV]
    await isv.refresh(Tier.CONNECTIONS)
    link = _link(runtime.world(), lab)
    if link is None:
        if isv.blind:
            raise isv.blind
        raise RefusedError("The ISV's service does not show the request yet.", hint="Try again in a moment.")
    approval = decision(Verb.APPROVE, link.id)
    await runtime.gate.perform(approval, confirm, world=runtime.world(), retrying=retrying)


def _link(world: World, lab: Workshop) -> Link | None:
    endpoint = lab.consumer.endpoint if lab.consumer else None
    return next((link for link in world.links() if link.endpoint_id == endpoint and link.service_side), None)


def lab_targets(world: World, lab: Workshop) -> tuple[Target, ...]:
    """What the lab's page is fetched from: its machines, its endpoint by address, and by name where it has one."""
    ours = set(lab.provider.machines if lab.provider else ())
    endpoint = lab.consumer.endpoint if lab.consumer else None
    found = [target for target in targets(world) if target.resource_id in ours or target.resource_id == endpoint]
    name = _name(lab)
    if name and any(target.resource_id == endpoint for target in found):
        found.append(name)
    return tuple(found)


def _name(lab: Workshop) -> Target | None:
    if lab.consumer is None or lab.lab.dns.kind == "none":
        return None
    name = f"{lab.lab.dns.record}.{lab.lab.dns.zone}"
    return Target(name, TargetKind.NAME, Side.CUSTOMER, name, PORT, lab.consumer.record, lab.consumer.endpoint)


async def all_targets(runtime: Runtime) -> tuple[Target, ...]:
    """All that the page is fetched from, as both sides were last seen: backends, balancers, endpoints, and a name."""
    found = addresses(runtime.world())
    name = await known_name(runtime, found)
    return (*found, name) if name else found


async def known_name(runtime: Runtime, found: Sequence[Target]) -> Target | None:
    """The name of the lab's endpoint, when that endpoint is among the targets and its record can be seen: one read."""
    # Nothing of what a run would choose has to do with names.
    lab = workshop(runtime.lab, subscriptions(runtime), Choices(region="", size="", public_key="", run=""))
    name, bodies = _name(lab), runtime.bodies.get(Side.CUSTOMER)
    if name is None or name.resource_id is None or bodies is None or lab.consumer is None:
        return None
    if not any(target.resource_id == lab.consumer.endpoint for target in found):
        return None
    try:
        return name if await bodies.get(name.resource_id) else None
    except AzureError:
        # Whoever may not see the zone knows of no name; the endpoint's address is probed all the same.
        return None


async def open_page(runtime: Runtime, lab: Workshop) -> AsyncIterator[TargetResult]:
    """Step 16: fetch the page from everything that has it, each result as soon as it is there."""
    for watcher in runtime.watchers.values():
        await watcher.refresh()
    async for result in runtime.prober.probe(lab_targets(runtime.world(), lab), runtime.probe_count):
        yield result


def page_verdict(results: list[TargetResult]) -> str:
    """What the results say of step 16: empty when the page came from everywhere, else why not."""
    if not any(result.target.side is Side.CUSTOMER for result in results):
        return "the endpoint could not be asked"
    bad = next((result for result in results if not result.ok), None)
    return f"{bad.target.name}: {bad.error}" if bad else ""
