"""Names as a machine's resolver answers them."""

from __future__ import annotations

import pytest

from plstui.domain.ids import ResourceId
from tests.sandbox.fabric.lab import ENDPOINT_ADDRESS, SPOKE_VNET, VNET, ZONE, Lab


@pytest.mark.parametrize(
    "name", ["saas-pls.tradewinds.internal", "SAAS-PLS.Tradewinds.Internal.", "shop.tradewinds.internal"]
)
async def test_a_linked_zone_answers(lab: Lab, name: str) -> None:
    assert await lab.run("testVM", f"dig +short {name}") == f"{ENDPOINT_ADDRESS}\n"


async def test_a_zone_that_is_not_linked_is_not_asked(lab: Lab) -> None:
    assert await lab.run("web1", "dig +short saas-pls.tradewinds.internal") == ""
    lab.store.delete(ResourceId(f"{ZONE}/virtualNetworkLinks/dnsLink"))
    assert await lab.run("testVM", "getent hosts saas-pls.tradewinds.internal; echo $?") == "2\n"


async def test_the_closest_zone_answers_alone(lab: Lab) -> None:
    closer = ZONE.replace("tradewinds.internal", "shop.tradewinds.internal")
    lab.put(closer, {})
    lab.put(f"{closer}/virtualNetworkLinks/l", {"virtualNetwork": {"id": SPOKE_VNET}})
    lab.put(f"{closer}/A/@", {"aRecords": [{"ipv4Address": "10.9.9.9"}]})
    assert await lab.run("testVM", "dig +short shop.tradewinds.internal") == "10.9.9.9\n"
    assert await lab.run("testVM", "dig +short saas-pls.shop.tradewinds.internal") == ""


async def test_aliases_that_go_round_in_circles_end(lab: Lab) -> None:
    lab.put(f"{ZONE}/CNAME/a", {"cnameRecord": {"cname": "b.tradewinds.internal"}})
    lab.put(f"{ZONE}/CNAME/b", {"cnameRecord": {"cname": "a.tradewinds.internal"}})
    assert await lab.run("testVM", "dig +short a.tradewinds.internal") == ""


async def test_machines_of_one_network_know_each_other_by_name(lab: Lab) -> None:
    assert await lab.run("web1", "curl -s http://web2/") == "Host: web2"
    assert await lab.run("testVM", "getent hosts web2; echo $?") == "2\n"


async def test_a_link_with_registration_puts_machines_into_the_zone(lab: Lab) -> None:
    assert await lab.run("testVM", "dig +short testvm.tradewinds.internal") == ""
    link = {"virtualNetwork": {"id": SPOKE_VNET}, "registrationEnabled": True}
    lab.put(f"{ZONE}/virtualNetworkLinks/dnsLink", link)
    assert await lab.run("testVM", "dig +short testvm.tradewinds.internal") == "10.1.0.4\n"


async def test_a_network_with_a_resolver_of_its_own_gets_no_answers_from_azures(lab: Lab) -> None:
    lab.change(VNET, dhcpOptions={"dnsServers": ["10.0.1.200"]})
    assert await lab.run("web1", "curl -sS http://web2/ 2>&1") == "curl: (6) Could not resolve host: web2\n"


@pytest.mark.parametrize("machine", ["web1", "testVM"])
async def test_a_public_zone_answers_in_every_network(lab: Lab, machine: str) -> None:
    public = ZONE.replace("privateDnsZones/tradewinds.internal", "dnsZones/tradewinds.example")
    lab.put(public, {})
    lab.put(f"{public}/A/saas-pls", {"ARecords": [{"ipv4Address": ENDPOINT_ADDRESS}]})
    assert await lab.run(machine, "dig +short saas-pls.tradewinds.example") == f"{ENDPOINT_ADDRESS}\n"
    assert await lab.run(machine, "dig +short other.tradewinds.example") == ""


async def test_a_linked_zone_hides_the_public_one_of_its_name(lab: Lab) -> None:
    public = ZONE.replace("privateDnsZones", "dnsZones")
    lab.put(public, {})
    lab.put(f"{public}/A/saas-pls", {"ARecords": [{"ipv4Address": "10.9.9.9"}]})
    assert await lab.run("testVM", "dig +short saas-pls.tradewinds.internal") == f"{ENDPOINT_ADDRESS}\n"
    assert await lab.run("web1", "dig +short saas-pls.tradewinds.internal") == "10.9.9.9\n"
