"""Which rule of a security group decides a flow."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Any

import pytest

from plstui.sandbox.fabric.security import PROBE_SOURCE, Direction, Flow, Party, decide

SPACE = [IPv4Network("10.0.0.0/16")]
ASG = "/subscriptions/s/resourcegroups/g/providers/microsoft.network/applicationsecuritygroups/asg"


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"securityRules": [{"name": rule.pop("name"), "properties": rule} for rule in rules]}}


def rule(name: str, priority: int, **values: Any) -> dict[str, Any]:
    return {
        "name": name,
        "priority": priority,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
        **values,
    }


def flow(source: str, destination: str = "10.0.1.4", port: int = 80, asgs: frozenset[str] = frozenset()) -> Flow:
    return Flow(Party(source), 40000, Party(destination, asgs), port)


@pytest.mark.parametrize(
    ("direction", "source", "destination", "decided"),
    [
        ("Inbound", "10.0.2.9", "10.0.1.4", "AllowVnetInBound"),
        ("Inbound", PROBE_SOURCE, "10.0.1.4", "AllowVnetInBound"),
        ("Inbound", "10.1.0.4", "10.0.1.4", "DenyAllInBound"),
        ("Outbound", "10.0.1.4", "10.0.2.9", "AllowVnetOutBound"),
        ("Outbound", "10.0.1.4", "91.189.91.83", "AllowInternetOutBound"),
    ],
)
def test_without_rules_of_its_own_the_defaults_decide(
    direction: Direction, source: str, destination: str, decided: str
) -> None:
    assert decide(group(), direction, flow(source, destination), SPACE).rule == decided


def test_the_lowest_priority_number_decides() -> None:
    rules = group(rule("later", 300), rule("first", 100, access="Deny"), rule("middle", 200))
    verdict = decide(rules, "Inbound", flow("10.0.2.9"), SPACE)
    assert (verdict.allowed, verdict.rule) == (False, "first")


def test_rules_of_the_other_direction_do_not_count() -> None:
    rules = group(rule("out", 100, direction="Outbound", access="Deny"))
    assert decide(rules, "Inbound", flow("10.0.2.9"), SPACE).allowed


@pytest.mark.parametrize(("port", "allowed"), [(80, True), (443, True), (8080, True), (8099, False), (22, False)])
def test_ports_and_ranges(port: int, allowed: bool) -> None:
    web = rule("web", 100, destinationPortRange=None, destinationPortRanges=["80", "443", "8080-8090"])
    rules = group(web, rule("rest", 200, access="Deny"))
    assert decide(rules, "Inbound", flow("1.2.3.4", port=port), SPACE).allowed is allowed


def test_an_application_security_group_as_destination() -> None:
    nginx = rule("nginx", 100, destinationAddressPrefix="", destinationApplicationSecurityGroups=[{"id": ASG.upper()}])
    rules = group(nginx, rule("rest", 200, access="Deny"))
    assert decide(rules, "Inbound", flow("1.2.3.4", asgs=frozenset({ASG})), SPACE).allowed
    assert not decide(rules, "Inbound", flow("1.2.3.4"), SPACE).allowed


def test_an_application_security_group_as_source() -> None:
    rules = group(
        rule("members", 100, sourceAddressPrefix=None, sourceApplicationSecurityGroups=[{"id": ASG}]),
        rule("rest", 200, access="Deny"),
    )
    member = Flow(Party("10.0.2.9", frozenset({ASG})), 40000, Party("10.0.1.4"), 80)
    assert decide(rules, "Inbound", member, SPACE).allowed
    assert not decide(rules, "Inbound", flow("10.0.2.9"), SPACE).allowed


@pytest.mark.parametrize(
    ("prefix", "source", "matches"),
    [
        ("VirtualNetwork", "10.0.9.9", True),
        ("VirtualNetwork", "10.1.0.4", False),
        ("Internet", "10.1.0.4", True),
        ("Internet", "10.0.9.9", False),
        ("Internet", PROBE_SOURCE, False),
        ("AzureLoadBalancer", PROBE_SOURCE, True),
        ("AzureLoadBalancer", "10.0.9.9", False),
        ("10.0.8.0/22", "10.0.9.9", True),
        ("10.0.9.9", "10.0.9.9", True),
        ("Storage.WestEurope", "10.0.9.9", False),
    ],
)
def test_prefixes_and_service_tags(prefix: str, source: str, matches: bool) -> None:
    rules = group(rule("it", 100, sourceAddressPrefix=prefix, access="Deny"), rule("rest", 200))
    assert decide(rules, "Inbound", flow(source), SPACE).allowed is not matches


def test_several_prefixes() -> None:
    rules = group(rule("it", 100, sourceAddressPrefix="", sourceAddressPrefixes=["1.1.1.1", "2.2.2.0/24"]))
    assert decide(rules, "Inbound", flow("2.2.2.7"), SPACE).rule == "it"
    assert decide(rules, "Inbound", flow("3.3.3.3"), SPACE).rule == "DenyAllInBound"


def test_the_protocol_counts() -> None:
    rules = group(rule("udp", 100, protocol="Udp", access="Deny"))
    assert decide(rules, "Inbound", flow("10.0.2.9"), SPACE).allowed
