"""Network security groups: who is kept out, by which rule, and that our reading of them is the fabric's."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.arm import mapping
from plstui.domain.findings import healthy
from plstui.domain.findings import security as ours
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import NetworkSecurityGroup
from plstui.sandbox.fabric import security as theirs
from tests.domain.findings.ward import Ward, named


def rule(name: str, priority: int, **more: Any) -> dict[str, Any]:
    """An inbound rule against everything, and what is different about it."""
    everything = {
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    }
    return {"name": name, "properties": {**everything, "priority": priority, **more}}


async def add(ward: Ward, *rules: dict[str, Any]) -> None:
    """Add rules to the group of the machines' subnet."""
    async with ward.changing(ward.provider.security_group) as group:
        group["properties"]["securityRules"] += rules


async def test_the_port_is_closed(approved: Ward) -> None:
    group = approved.provider.security_group
    await add(approved, rule("noHttp", 200, sourceAddressPrefix="VirtualNetwork", destinationPortRange="80"))

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("nsg-blocks-port", Severity.ERROR, group)
    assert finding.evidence == {"rule": "noHttp", "priority": "200", "access": "Deny"}
    assert finding.az.endswith("--nsg-name networkSecurityGroup --name noHttp")
    assert await approved.silent()
    await approved.delete(group.child("securityRules", "noHttp"))
    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_the_services_own_address_is_kept_out(approved: Ward) -> None:
    service = await approved.get(approved.provider.service)
    nic = await approved.get(ResourceId(service["properties"]["networkInterfaces"][0]["id"]))
    address = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    deny = rule("noService", 200, sourceAddressPrefixes=["192.168.0.0/16", f"{address}/32"])
    del deny["properties"]["sourceAddressPrefix"]  # One value and many are not for the same rule.
    await add(approved, deny)

    finding = await approved.first()

    assert (finding.rule, finding.evidence["rule"]) == ("nsg-blocks-port", "noService")
    assert await approved.silent()


async def test_the_probe_is_kept_out(approved: Ward) -> None:
    await add(approved, rule("noProbes", 200, sourceAddressPrefix="AzureLoadBalancer"))

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("nsg-blocks-probe", Severity.ERROR)
    assert finding.evidence["rule"] == "noProbes"
    assert await approved.silent()
    await approved.delete(approved.provider.security_group.child("securityRules", "noProbes"))
    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_one_machine_of_three_is_closed(approved: Ward) -> None:
    own = ResourceId(f"{approved.provider.security_group}2")
    await approved.put(own, {"location": "westeurope", "properties": {"securityRules": [rule("closed", 100)]}})
    async with approved.changing(approved.provider.interfaces[1]) as nic:
        nic["properties"]["networkSecurityGroup"] = {"id": own.text}

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("nsg-blocks-port", Severity.WARNING, own)
    assert await approved.comes()
    async with approved.changing(approved.provider.interfaces[1]) as nic:
        nic["properties"].pop("networkSecurityGroup")
    assert healthy(await approved.findings())


async def leave_asg(ward: Ward, *machines: int) -> None:
    """Take machines out of the application security group."""
    for number in machines:
        async with ward.changing(ward.provider.interfaces[number - 1]) as nic:
            named(nic, "ipConfigurations", "ipconfig1").pop("applicationSecurityGroups")


async def test_an_interface_without_the_group_that_the_rule_names(approved: Ward) -> None:
    await leave_asg(approved, 2)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("nic-without-asg", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.provider.interfaces[1], "step:machines")
    assert finding.evidence == {"applicationSecurityGroups": "[]"}
    # The built-in rule for the own network still lets everybody in.
    assert await approved.comes()
    assert await approved.mend() == ["nic-without-asg"]


async def test_no_interface_is_in_the_group_and_nothing_else_lets_anybody_in(approved: Ward) -> None:
    await add(approved, rule("closed", 4000))
    assert healthy(await approved.findings())
    await leave_asg(approved, 1, 2, 3)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("nic-without-asg", Severity.ERROR)
    assert "closed" in finding.what
    assert "nsg-blocks-port" not in {finding.rule for finding in await approved.findings()}
    assert await approved.silent()
    assert await approved.mend() == ["nic-without-asg"]
    assert await approved.comes()


# The two readings of a group's rules

ASGS = [f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/applicationSecurityGroups/{n}" for n in "abc"]
NETWORKS = ("10.0.0.0/16", "10.8.0.0/24")
ADDRESSES = st.sampled_from(["10.0.1.4", "10.0.1.9", "10.8.0.7", "192.168.1.1", "203.0.113.9", ours.PROBE_SOURCE])
PLACES = st.sampled_from(
    [
        *("*", "Any", "0.0.0.0/0", "VirtualNetwork", "virtualnetwork", "AzureLoadBalancer", "Internet", "Storage"),
        *("10.0.0.0/8", "10.0.1.0/24", "10.0.1.4", "10.0.1.4/31", "168.63.129.16", "168.0.0.0/6", "fd00::/8"),
    ]
)
PORTS = st.sampled_from(["*", "80", "443", "80-443", "0-79", "1024-65535", "49152"])
GROUPS = st.sets(st.sampled_from(ASGS)).map(sorted)


def one_or_many(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, Any]]:
    """A property under its singular or its plural name."""
    plural = f"{name}es" if name.endswith("Prefix") else f"{name}s"
    many = st.lists(values, min_size=1, max_size=3).map(lambda found: {plural: found})
    return st.one_of(values.map(lambda value: {name: value}), many)


def ends(end: str) -> st.SearchStrategy[dict[str, Any]]:
    """One end of a rule: groups, or places."""
    some = st.sets(st.sampled_from(ASGS), min_size=1)
    groups = some.map(lambda ids: {f"{end}ApplicationSecurityGroups": [{"id": one.upper()} for one in sorted(ids)]})
    return st.one_of(one_or_many(f"{end}AddressPrefix", PLACES), groups)


@st.composite
def security_groups(draw: st.DrawFn) -> dict[str, Any]:
    """A group with random rules, no two of the same priority."""
    priorities = draw(st.lists(st.integers(100, 4096), max_size=8, unique=True))
    rules = [
        {
            "name": f"rule{priority}",
            "properties": {
                "priority": priority,
                "direction": draw(st.sampled_from(["Inbound", "inbound", "Outbound"])),
                "access": draw(st.sampled_from(["Allow", "Deny", "deny"])),
                "protocol": draw(st.sampled_from(["*", "Tcp", "TCP", "Udp", "Icmp"])),
                **draw(ends("source")),
                **draw(ends("destination")),
                **draw(one_or_many("sourcePortRange", PORTS)),
                **draw(one_or_many("destinationPortRange", PORTS)),
            },
        }
        for priority in priorities
    ]
    return {"properties": {"securityRules": rules}}


GROUP_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/nsg"


def typed(group: dict[str, Any]) -> NetworkSecurityGroup:
    """A group as a reader hands it to the rules."""
    found = mapping.security_group({"id": GROUP_ID, **group})
    assert found is not None
    return found


@pytest.mark.parametrize("ports", ["²", "80-²", "٨٠", "9" * 5000, ""])
def test_what_is_no_port_is_read_without_harm(ports: str) -> None:
    group = {"properties": {"securityRules": [rule("odd", 200, destinationPortRange=ports)]}}

    winner = ours.winning(typed(group), ours.Flow("10.1.0.4", "10.0.0.4", 81))

    assert winner.name == "DenyAllInBound"


@given(
    security_groups(), ADDRESSES, ADDRESSES, GROUPS, st.sampled_from([22, 80, 443, 8080]), st.sampled_from([443, 49152])
)
def test_the_same_rule_wins_as_in_the_fabric(
    group: dict[str, Any], source: str, destination: str, asgs: list[str], port: int, source_port: int
) -> None:
    flow = ours.Flow(source, destination, port, frozenset(map(ResourceId, asgs)), NETWORKS, source_port)
    target = theirs.Party(destination, frozenset(one.lower() for one in asgs))
    same = theirs.Flow(theirs.Party(source), source_port, target, port)

    winner = ours.winning(typed(group), flow)
    verdict = theirs.decide(group, "Inbound", same, [ip_network(network) for network in NETWORKS])  # type: ignore[misc]

    assert (winner.name, winner.allows) == (verdict.rule, verdict.allowed)
