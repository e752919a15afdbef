"""What has a name of the lab's and is somebody else's is told before the first write, and what is the lab's is not."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from plstui.domain.errors import RefusedError
from plstui.domain.sides import Side
from plstui.lab.checks.problem import PreflightError
from plstui.lab.preflight import preflight
from plstui.lab.session import subscriptions
from tests.lab.rig import KEY, Rig, undone
from tests.lab.test_dns import PUBLIC, PUBLIC_DNS, address_of

Change = Callable[[dict[str, Any]], None]


async def said(at: Rig, lab: dict[str, Any] | None = None) -> list[str]:
    """What a preflight says is in the way; it writes nothing."""
    before = list(at.written)
    async with at.session(lab=lab) as plstui:
        runtime = plstui.runtime
        try:
            await preflight(runtime.lab, subscriptions(runtime), runtime.bodies, KEY, clock=at.clock)
        except PreflightError as error:
            return [problem.message for problem in error.problems]
        finally:
            assert at.written == before
    return []


def _first(properties: dict[str, Any], key: str) -> dict[str, Any]:
    """The properties of the first item of a list."""
    found: dict[str, Any] = properties[key][0]["properties"]
    return found


def _another_interface(machine: dict[str, Any]) -> None:
    (interface,) = machine["networkProfile"]["networkInterfaces"]
    interface["id"] = interface["id"].replace("-nic", "-other-nic")


def _another_user(machine: dict[str, Any]) -> None:
    machine["osProfile"]["adminUsername"] = "root2"


def _a_disk_of_old(machine: dict[str, Any]) -> None:
    del machine["osProfile"]


def _another_machine(interface: dict[str, Any]) -> None:
    interface["virtualMachine"] = {"id": interface["virtualMachine"]["id"].rpartition("/")[0] + "/database"}


def _another_configuration(interface: dict[str, Any]) -> None:
    interface["ipConfigurations"][0]["name"] = "primary"


def _another_front(service: dict[str, Any]) -> None:
    (front,) = service["loadBalancerFrontendIpConfigurations"]
    front["id"] += "-of-payments"


def _another_subnet(balancer: dict[str, Any]) -> None:
    _first(balancer, "frontendIPConfigurations")["subnet"]["id"] += "-of-payments"


def _public(balancer: dict[str, Any]) -> None:
    del _first(balancer, "frontendIPConfigurations")["subnet"]


def _another_frontend(balancer: dict[str, Any]) -> None:
    balancer["frontendIPConfigurations"][0]["name"] = "payments"


def _ssh_under_our_name(group: dict[str, Any]) -> None:
    _first(group, "securityRules").update(priority=200, destinationPortRanges=["22"])


def _our_priority(group: dict[str, Any]) -> None:
    group["securityRules"][0]["name"] = "payments"


def _another_service(endpoint: dict[str, Any]) -> None:
    (connection,) = endpoint["manualPrivateLinkServiceConnections"]
    connection["name"] = "by-hand"
    connection["properties"]["privateLinkServiceId"] += "OfPayments"


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("web2", _another_interface, "its networkProfile.networkInterfaces[web2-nic] is another"),
        ("web2", _another_user, "its osProfile.adminUsername is another"),
        ("testVM", _another_interface, "its networkProfile.networkInterfaces[testVM-nic] is another"),
        ("testVM", _a_disk_of_old, "its osProfile is another"),
        ("web2-nic", _another_machine, "database uses it"),
        ("web2-nic", _another_configuration, "it has no ipconfig1"),
        ("testVM-nic", _another_machine, "database uses it"),
        (
            "saasPrivateLinkService",
            _another_front,
            "its loadBalancerFrontendIpConfigurations[loadBalancerFrontEnd] is another",
        ),
        ("loadBalancer", _another_subnet, "its frontend loadBalancerFrontEnd is not in subnet saas"),
        ("loadBalancer", _public, "its frontend loadBalancerFrontEnd is not in subnet saas"),
        ("loadBalancer", _another_frontend, "it has no frontend loadBalancerFrontEnd but others"),
        ("networkSecurityGroup", _ssh_under_our_name, "its securityRules[nginx].properties.priority is another"),
        ("networkSecurityGroup", _our_priority, "its rule payments has the priority 1003 already"),
        ("saasPrivateEndpoint", _another_service, "it leads to saasPrivateLinkServiceOfPayments"),
    ],
)
async def test_what_has_our_name_and_is_not_ours(name: str, change: Change, why: str, pending: Rig) -> None:
    assert await said(pending) == []
    body = deepcopy(pending.body(name))
    change(body["properties"])
    pending.sandbox.azure.store.put(body)

    assert f"{name} is there already and is not the lab's: {why}." in await said(pending)


@pytest.mark.parametrize(
    "kind", ["networkSecurityGroups/networkSecurityGroup", "applicationSecurityGroups/applicationSecurityGroup"]
)
async def test_an_empty_security_group_is_adopted(kind: str, empty: Rig) -> None:
    isv = empty.account(Side.ISV)
    await isv.put_group("privatelink-pls-microhack-rg")
    await isv.put("privatelink-pls-microhack-rg", f"Network/{kind}", {})

    assert await said(empty) == []


# Names


async def _record(at: Rig, dns: dict[str, str], record: dict[str, Any]) -> None:
    """A record of the endpoint's name, in a public zone or in the lab's own."""
    customer = at.account(Side.CUSTOMER)
    if dns:
        await customer.put_group("names")
        zone = customer.id_of("names", "Network/dnsZones/tradewinds.example")
        await customer.request("PUT", zone, PUBLIC_DNS, {"location": "global"})
        properties = {"TTL": 60, **record, "ARecords": record["aRecords"]}
        del properties["aRecords"]
        await customer.request("PUT", f"{zone}/A/saas-pls", PUBLIC_DNS, {"properties": properties})
    else:
        group = "privatelink-dns-microhack-rg"
        record_id = customer.id_of(group, "Network/privateDnsZones/tradewinds.internal/A/saas-pls")
        await customer.request("PUT", record_id, "2020-06-01", {"properties": {"ttl": 60, **record}})


def _addresses(at: Rig) -> list[str]:
    properties = at.body("saas-pls")["properties"]
    return [one["ipv4Address"] for one in properties.get("ARecords") or properties["aRecords"]]


BOTH_KINDS = pytest.mark.parametrize("dns", [PUBLIC, {}], ids=["public", "private"])
THEIRS = [{"ipv4Address": "203.0.113.7"}]


@BOTH_KINDS
async def test_a_record_of_somebody_else_is_told_of_and_left_alone(dns: dict[str, str], pending: Rig) -> None:
    await _record(pending, dns, {"aRecords": THEIRS})
    lab = {"dns": dns} if dns else None

    assert await said(pending, lab) == ["saas-pls is there already and is not the lab's: it leads to 203.0.113.7."]
    async with pending.session(lab=lab) as plstui:
        with pytest.raises(RefusedError, match=r"it leads to 203\.0\.113\.7"):
            await plstui.up()
    assert pending.written == []
    assert _addresses(pending) == ["203.0.113.7"]


@BOTH_KINDS
async def test_a_record_beside_the_endpoints_address_is_not_lost(dns: dict[str, str], pending: Rig) -> None:
    await _record(pending, dns, {"aRecords": [*THEIRS, {"ipv4Address": address_of(pending)}]})

    assert len(await said(pending, {"dns": dns} if dns else None)) == 1


@BOTH_KINDS
async def test_a_record_of_the_labs_own_that_leads_elsewhere_is_mended(dns: dict[str, str], pending: Rig) -> None:
    await _record(pending, dns, {"aRecords": THEIRS, "metadata": {"created-by": "plstui"}})
    lab = {"dns": dns} if dns else None

    assert await said(pending, lab) == []
    async with pending.session(lab=lab) as plstui:
        assert list(undone((await plstui.up()).statuses())) == []
    assert _addresses(pending) == [address_of(pending)]


@BOTH_KINDS
async def test_a_record_that_leads_to_the_endpoint_needs_no_mark(dns: dict[str, str], pending: Rig) -> None:
    await _record(pending, dns, {"aRecords": [{"ipv4Address": address_of(pending)}]})

    assert await said(pending, {"dns": dns} if dns else None) == []


@BOTH_KINDS
async def test_the_labs_record_says_who_made_it(dns: dict[str, str], pending: Rig) -> None:
    if dns:
        customer = pending.account(Side.CUSTOMER)
        await customer.put_group("names")
        zone = customer.id_of("names", "Network/dnsZones/tradewinds.example")
        await customer.request("PUT", zone, PUBLIC_DNS, {"location": "global"})
    async with pending.session(lab={"dns": dns} if dns else None) as plstui:
        await plstui.up()

    assert pending.body("saas-pls")["properties"]["metadata"] == {"created-by": "plstui"}
