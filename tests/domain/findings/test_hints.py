"""What is good to know, and what is left when no rule has found anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.world import World
from tests.domain.findings.ward import Ward, named, told


async def test_the_idle_timeout_that_a_private_link_does_not_keep(approved: Ward) -> None:
    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("idle-timeout", Severity.INFO, approved.provider.rule)
    assert finding.evidence == {"idleTimeoutInMinutes": "15"}
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "loadBalancingRules", "http")["idleTimeoutInMinutes"] = 4
    assert await approved.findings() == ()


# The sandbox has ports without end, so nobody can use them up there.

PAGE, SILENCE = Attempt(host="web1", connect_ms=1.0, first_byte_ms=1.0), Attempt(failure=Failure.TIMEOUT, error="No.")


def result(ward: Ward, side: Side, *attempts: Attempt) -> TargetResult:
    """What a probe brought from web1, or through the endpoint."""
    kind = TargetKind.BACKEND if side is Side.ISV else TargetKind.ENDPOINT
    where = ward.provider.machines[0] if side is Side.ISV else ward.consumer.endpoint
    address = "10.0.1.4" if side is Side.ISV else "10.1.0.5"
    return TargetResult(Target(where.name, kind, side, address, 80, where), "ssh", attempts)


def probed(ward: Ward, world: World, through: list[Attempt], direct: list[Attempt]) -> World:
    return replace(world, results=(result(ward, Side.ISV, *direct), result(ward, Side.CUSTOMER, *through)))


async def test_some_connections_through_the_endpoint_time_out(approved: Ward) -> None:
    world = probed(approved, await approved.world(), [PAGE, SILENCE, PAGE], [PAGE])

    finding = told(world)[0]

    assert (finding.rule, finding.severity) == ("snat-exhaustion", Severity.WARNING)
    assert (finding.where, finding.evidence) == (approved.provider.service, {"ipConfigurations": "1"})


@pytest.mark.parametrize(
    ("through", "direct"), [([PAGE], [PAGE]), ([PAGE, SILENCE], [PAGE, SILENCE]), ([SILENCE], [SILENCE])]
)
async def test_no_hint_at_ports_without_a_reason(approved: Ward, through: list[Attempt], direct: list[Attempt]) -> None:
    world = probed(approved, await approved.world(), through, direct)

    assert healthy(told(world))


async def test_what_no_rule_explains(approved: Ward) -> None:
    """The customer's own network lets nothing out."""
    group = ResourceId(f"{approved.consumer.group}/providers/Microsoft.Network/networkSecurityGroups/theirs")
    closed = {
        "name": "closed",
        "properties": {
            "priority": 100,
            "direction": "Outbound",
            "access": "Deny",
            "protocol": "*",
            "sourceAddressPrefix": "*",
            "sourcePortRange": "*",
            "destinationAddressPrefix": "10.1.0.0/16",
            "destinationPortRange": "80",
        },
    }
    await approved.put(group, {"location": "westeurope", "properties": {"securityRules": [closed]}})
    async with approved.changing(approved.consumer.network) as network:
        named(network, "subnets", "InfrastructureSubnet")["networkSecurityGroup"] = {"id": group.text}

    finding, *others = await approved.findings(probe=True)

    assert (finding.rule, finding.severity) == ("page-not-through", Severity.ERROR)
    assert healthy(others)  # Its name leads to the same silence, and is not to blame.
    assert (finding.where, finding.evidence) == (approved.consumer.endpoint, {"failures": "6 × timeout"})


async def test_what_a_rule_explains_needs_no_other_explanation(approved: Ward) -> None:
    await approved.decide("Rejected")

    rules = [finding.rule for finding in await approved.findings(probe=True)]

    assert rules[0] == "connection-rejected"
    assert "page-not-through" not in rules


async def test_an_endpoint_that_nobody_could_ask_is_not_silent(approved: Ward) -> None:
    unasked = Attempt(failure=Failure.JUMP, error="No way in.")
    world = await approved.world()

    for direct in (PAGE, unasked):
        found = told(probed(approved, world, [unasked], [direct]))
        assert "page-not-through" not in [finding.rule for finding in found]
    assert healthy(told(probed(approved, world, [Attempt(error="Not told.")], [Attempt(error="Not told.")])))
