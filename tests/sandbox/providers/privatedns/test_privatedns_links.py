from __future__ import annotations

from plstui.domain.ids import ResourceId
from tests.sandbox.providers.privatedns.dns import GLOBAL, GROUP, LINK, NETWORK, SPOKE, ZONE, Dns, a, link


async def test_a_link_is_counted_and_keeps_its_zone() -> None:
    dns = await (await Dns().start()).with_link()
    answer = await dns.call("GET", LINK)
    assert answer.headers["ETag"] == answer.body["etag"]
    assert answer.body["etag"].startswith('"')
    assert answer.body["properties"] == {
        "provisioningState": "Succeeded",
        "registrationEnabled": False,
        "virtualNetwork": {"id": SPOKE},
        "virtualNetworkLinkState": "Completed",
    }
    assert [item["name"] for item in (await dns.get(f"{ZONE}/virtualNetworkLinks"))["value"]] == ["dnsLink"]
    refused = await dns.call("DELETE", ZONE)
    assert (refused.status, refused.body["error"]["code"]) == (409, "CannotDeleteResource")
    assert refused.headers["x-ms-failure-cause"] == "gateway"
    assert "'Microsoft.Network/privateDnsZones/tradewinds.internal/virtualNetworkLinks/dnsLink'" in str(refused.body)

    await dns.done("PATCH", LINK, {"properties": {"registrationEnabled": True}})
    numbers = (await dns.get(ZONE))["properties"]
    assert numbers["numberOfVirtualNetworkLinks"] == numbers["numberOfVirtualNetworkLinksWithRegistration"] == 1
    await dns.done("DELETE", LINK)
    numbers = (await dns.get(ZONE))["properties"]
    assert numbers["numberOfVirtualNetworkLinks"] == numbers["numberOfVirtualNetworkLinksWithRegistration"] == 0
    await dns.put(f"{ZONE}/A/www", a("10.1.0.5"))
    await dns.done("DELETE", ZONE)
    assert [body for body in dns.azure.store if "/privateDnsZones/" in str(body["id"])] == []


async def test_a_link_that_registers_is_at_work_for_a_while() -> None:
    dns = await (await Dns().start()).with_link(registration=True)

    assert (await dns.get(LINK))["properties"]["virtualNetworkLinkState"] == "InProgress"
    dns.azure.clock.advance(60)
    assert (await dns.get(LINK))["properties"]["virtualNetworkLinkState"] == "Completed"


async def test_a_network_is_linked_to_one_zone_of_a_name_and_registered_in_one() -> None:
    dns = await (await Dns().start()).with_link(registration=True)
    assert await dns.failure("PUT", f"{ZONE}/virtualNetworkLinks/again", link(SPOKE)) == (200, "BadRequest")
    second = f"{NETWORK}/privateDnsZones/second.internal"
    await dns.put(second, GLOBAL)
    name = f"{second}/virtualNetworkLinks/link"
    assert await dns.failure("PUT", name, link(SPOKE, registration=True)) == (200, "Conflict")
    await dns.put(name, link(SPOKE))
    assert await dns.failure("PUT", name, link(f"{NETWORK}/virtualNetworks/other-vnet")) == (200, "BadRequest")


async def test_a_link_leads_to_a_network_that_is_there_and_ones_own() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    missing = f"{NETWORK}/virtualNetworks/missing"
    foreign = SPOKE.replace(dns.principal.subscription, dns.box.isv.subscription)
    assert await dns.failure("PUT", LINK, link(missing)) == (400, "BadRequest")
    assert await dns.failure("PUT", LINK, link(f"{NETWORK}/privateDnsZones/x")) == (400, "BadRequest")
    assert await dns.failure("PUT", LINK, GLOBAL) == (400, "BadRequest")
    assert await dns.failure("PUT", LINK, link(foreign)) == (403, "LinkedAuthorizationFailed")


async def test_a_link_of_a_privatelink_zone_has_a_resolution_policy() -> None:
    dns = await Dns().start()
    zone = f"{NETWORK}/privateDnsZones/privatelink.blob.core.windows.net"
    await dns.put(zone, GLOBAL)
    body = link(SPOKE)
    body["properties"]["resolutionPolicy"] = "nxdomainredirect"
    new = await dns.put(f"{zone}/virtualNetworkLinks/l", body, api_version="2024-06-01")
    assert new["properties"]["resolutionPolicy"] == "NxDomainRedirect"
    assert "resolutionPolicy" not in (await dns.get(f"{zone}/virtualNetworkLinks/l"))["properties"]
    await dns.put(ZONE, GLOBAL)
    assert await dns.failure("PUT", LINK, body) == (400, "BadRequest")


def machine(dns: Dns, name: str, address: str) -> str:
    """A machine with an interface in the spoke, as their providers keep them; gives the interface's id."""
    nic_id = f"{NETWORK}/networkInterfaces/{name}-nic"
    machine_id = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"
    configuration = {
        "name": "ipconfig1",
        "properties": {"privateIPAddress": address, "subnet": {"id": f"{SPOKE}/subnets/InfrastructureSubnet"}},
    }
    dns.keep({"id": machine_id, "name": name, "properties": {"osProfile": {"computerName": name}}})
    properties = {"ipConfigurations": [configuration], "virtualMachine": {"id": machine_id.upper()}}
    dns.keep({"id": nic_id, "name": f"{name}-nic", "properties": properties})
    return nic_id


async def test_machines_of_a_registered_network_have_records() -> None:
    dns = await Dns().start()
    machine(dns, "testVM", "10.1.0.4")
    await dns.with_link(registration=True)
    record = await dns.get(f"{ZONE}/A/testvm")
    assert record["properties"]["isAutoRegistered"] is True
    assert record["properties"]["aRecords"] == [{"ipv4Address": "10.1.0.4"}]
    machine(dns, "testVM", "10.1.0.9")
    assert (await dns.get(f"{ZONE}/A/testvm"))["properties"]["aRecords"] == [{"ipv4Address": "10.1.0.9"}]
    nic = machine(dns, "second", "10.1.0.5")
    assert (await dns.get(ZONE))["properties"]["numberOfRecordSets"] == 3
    dns.azure.store.delete(ResourceId(nic))
    assert await dns.failure("GET", f"{ZONE}/A/second") == (404, "NotFound")

    await dns.put(f"{ZONE}/A/testvm", a("10.9.9.9"))
    machine(dns, "testVM", "10.1.0.4")
    assert (await dns.get(f"{ZONE}/A/testvm"))["properties"]["aRecords"] == [{"ipv4Address": "10.9.9.9"}]


async def test_a_networks_links_and_records_go_with_it() -> None:
    dns = await Dns().start()
    machine(dns, "testVM", "10.1.0.4")
    await dns.with_link(registration=True)
    dns.azure.store.delete(ResourceId(SPOKE))
    assert (await dns.get(f"{ZONE}/virtualNetworkLinks"))["value"] == []
    assert await dns.failure("GET", f"{ZONE}/A/testvm") == (404, "NotFound")
    numbers = (await dns.get(ZONE))["properties"]
    assert (numbers["numberOfRecordSets"], numbers["numberOfVirtualNetworkLinks"]) == (1, 0)
