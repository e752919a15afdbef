"""What an account lacks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.domain.findings import healthy
from plstui.domain.findings.account import allowed
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Permission
from plstui.domain.sides import Side
from tests.domain.findings.ward import Ward, told, ward


@pytest.fixture
async def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The pending world, seen by two who may look and nothing else."""
    async with ward(tmp_path, monkeypatch, "pending", readers=tuple(Side)) as made:
        yield made


@pytest.mark.parametrize(
    ("side", "namespace"),
    [(Side.ISV, "Microsoft.Network"), (Side.ISV, "Microsoft.Compute"), (Side.CUSTOMER, "Microsoft.Network")],
)
async def test_a_provider_is_not_registered(approved: Ward, side: Side, namespace: str) -> None:
    await approved.register(side, namespace, "unregister")

    finding = await approved.first()

    subscription = approved.runtime.watchers[side].snapshot.subscription
    assert (finding.rule, finding.severity) == ("provider-not-registered", Severity.ERROR)
    assert finding.where == ResourceId(f"/subscriptions/{subscription}/providers/{namespace}")
    assert finding.evidence == {"registrationState": "Unregistered"}
    assert finding.az == f"az provider register --namespace {namespace} --subscription {subscription}"
    await approved.register(side, namespace, "register")
    assert healthy(await approved.findings())


async def test_a_customer_needs_no_machines(approved: Ward) -> None:
    await approved.register(Side.CUSTOMER, "Microsoft.Compute", "unregister")

    assert healthy(await approved.findings())


async def test_who_may_only_look(read: Ward) -> None:
    findings = await read.findings()

    # What keeps the page away comes before who can do something about it.
    assert findings[0].rule == "connection-pending"
    lacking = [finding for finding in findings if finding.rule == "missing-right"]
    assert {finding.severity for finding in lacking} == {Severity.WARNING}
    assert [finding.evidence["action"] for finding in lacking] == [
        "Microsoft.Network/privateLinkServices/privateEndpointConnections/write",
        "Microsoft.Network/privateLinkServices/privateEndpointConnections/delete",
        "Microsoft.Network/privateLinkServices/privateEndpointConnectionsApproval/action",
        "Microsoft.Network/privateEndpoints/write",
        "Microsoft.Network/privateDnsZones/A/write",
    ]
    assert lacking[0].where == ResourceId(f"/subscriptions/{read.box.isv.subscription.id}")
    assert lacking[-1].where == ResourceId(f"/subscriptions/{read.box.customer.subscription.id}")


async def test_where_the_link_stands_nobody_needs_a_right(approved: Ward) -> None:
    seen = await approved.world()
    assert seen.isv is not None
    world = replace(seen, isv=replace(seen.isv, permissions=(Permission(("*/read",)),)))

    findings = told(world)

    assert (findings[0].rule, findings[0].severity) == ("missing-right", Severity.INFO)
    assert healthy(findings)


def test_rights_are_patterns_in_any_case_and_can_be_taken_away_again() -> None:
    action = "Microsoft.Network/privateEndpoints/write"

    assert allowed([Permission(("*",))], action)
    assert allowed([Permission(("microsoft.network/PRIVATEENDPOINTS/*",))], action)
    assert allowed([Permission(), Permission((action,))], action)
    assert not allowed([Permission(("*",), ("Microsoft.Network/*/write",))], action)
    assert not allowed([Permission(("Microsoft.Compute/*",))], action)
    assert not allowed([Permission()], action)
