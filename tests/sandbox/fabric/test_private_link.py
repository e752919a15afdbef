"""From the customer's machine through the private link to the backends."""

from __future__ import annotations

import asyncio
import re
from collections import Counter

import asyncssh
import pytest

from plstui.sandbox.machines.network import CONNECT_TIMEOUT
from tests.sandbox.fabric.lab import (
    ENDPOINT_ADDRESS,
    FRONTEND_ADDRESS,
    NAT_ADDRESS,
    NSG,
    SERVICE,
    SPOKE_SUBNET,
    SPOKE_VNET,
    VNET,
    WEB_ADDRESSES,
    Lab,
    running,
)


async def fetched(lab: Lab, name: str, address: str, *, seconds: float | None = None) -> str:
    """What `curl` in a machine prints; `seconds` turns the clock past the wait for an answer that does not come."""
    fetching = asyncio.ensure_future(lab.run(name, f"curl -sS http://{address}/ 2>&1"))
    if seconds:
        await lab.clock.pass_over(seconds)
    return await fetching


async def unanswered(lab: Lab, name: str, address: str) -> bool:
    """Whether packets to an address are dropped, so that connecting takes until its time-out."""
    return "(28)" in await fetched(lab, name, address, seconds=CONNECT_TIMEOUT)


async def test_the_page_comes_through_an_approved_link_from_every_backend(lab: Lab) -> None:
    script = f"for i in $(seq 60); do curl -s http://{ENDPOINT_ADDRESS}/; echo; done"
    pages = Counter((await lab.run("testVM", script)).splitlines())
    assert set(pages) == {"Host: web1", "Host: web2", "Host: web3"}


@pytest.mark.parametrize("status", ["Pending", "Rejected", "Disconnected"])
async def test_without_approval_nobody_answers(lab: Lab, status: str) -> None:
    lab.connection(status)
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_a_decision_counts_at_once(lab: Lab) -> None:
    lab.connection("Rejected")
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)
    lab.connection("Approved")
    assert (await fetched(lab, "testVM", ENDPOINT_ADDRESS)).startswith("Host: web")


async def test_both_ends_must_say_approved(lab: Lab) -> None:
    lab.service("Pending")
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)
    lab.service("Approved")
    lab.endpoint("Disconnected")
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_a_connection_that_the_service_removed_leads_nowhere(lab: Lab) -> None:
    lab.service(connected=False)
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_a_connection_is_found_by_name_where_the_service_does_not_see_the_endpoint(lab: Lab) -> None:
    service = lab.store.get(SERVICE)
    assert service is not None
    connection = service["properties"]["privateEndpointConnections"][0]
    blind = {**connection, "properties": {**connection["properties"], "privateEndpoint": {}}}
    lab.change(SERVICE, privateEndpointConnections=[blind])
    assert (await fetched(lab, "testVM", ENDPOINT_ADDRESS)).startswith("Host: web")


async def test_an_endpoint_finds_its_service_by_alias(lab: Lab) -> None:
    lab.endpoint(target="saasPrivateLinkService.GUID.westeurope.azure.privatelinkservice")
    assert (await fetched(lab, "testVM", ENDPOINT_ADDRESS)).startswith("Host: web")


async def test_the_backends_themselves_are_out_of_the_customers_reach(lab: Lab) -> None:
    for address in (WEB_ADDRESSES["web1"], FRONTEND_ADDRESS, NAT_ADDRESS, "10.1.0.77"):
        assert await unanswered(lab, "testVM", address)


async def test_only_the_balancers_port_goes_through(lab: Lab) -> None:
    assert await unanswered(lab, "testVM", f"{ENDPOINT_ADDRESS}:8080")


async def test_the_backend_sees_the_services_nat_address(lab: Lab) -> None:
    await lab.run("testVM", f"curl -s http://{ENDPOINT_ADDRESS}/")
    logs = [await lab.run(name, "cat /var/log/nginx/access.log 2>/dev/null") for name in WEB_ADDRESSES]
    assert re.fullmatch(rf"{re.escape(NAT_ADDRESS)} .*\n", "".join(logs))


async def test_the_nat_address_counts_as_part_of_the_services_network(lab: Lab) -> None:
    deny = {"priority": 200, "direction": "Inbound", "access": "Deny", "protocol": "*"}
    anyone = {"sourceAddressPrefix": "VirtualNetwork", "sourcePortRange": "*"}
    here = {"destinationAddressPrefix": "*", "destinationPortRange": "80"}
    lab.put(NSG, {"securityRules": [{"name": "stop", "properties": {**deny, **anyone, **here}}]})
    await lab.network.settled()
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_rules_of_the_endpoints_subnet_count_only_where_policies_are_on(lab: Lab) -> None:
    group = SPOKE_SUBNET.partition("/virtualNetworks/")[0] + "/networkSecurityGroups/spoke"
    every = {"sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    rule = {"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*", "destinationPortRange": "80"}
    lab.put(group, {"securityRules": [{"name": "stop", "properties": {**rule, **every}}]})

    def policies(word: str) -> None:
        values = {"addressPrefix": "10.1.0.0/24", "networkSecurityGroup": {"id": group}}
        values["privateEndpointNetworkPolicies"] = word
        lab.change(SPOKE_VNET, subnets=[{"id": SPOKE_SUBNET, "name": "InfrastructureSubnet", "properties": values}])

    policies("Disabled")
    assert (await fetched(lab, "testVM", ENDPOINT_ADDRESS)).startswith("Host: web")
    policies("NetworkSecurityGroupEnabled")
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_a_peering_connects_two_networks_once_both_sides_have_it(lab: Lab) -> None:
    def peer(network: str, other: str) -> None:
        values = {"remoteVirtualNetwork": {"id": other}, "peeringState": "Connected"}
        lab.change(network, virtualNetworkPeerings=[{"name": "p", "properties": values}])

    peer(SPOKE_VNET, VNET)
    assert await unanswered(lab, "testVM", WEB_ADDRESSES["web1"])
    peer(VNET, SPOKE_VNET)
    assert await fetched(lab, "testVM", WEB_ADDRESSES["web1"]) == "Host: web1"
    assert (await fetched(lab, "testVM", FRONTEND_ADDRESS)).startswith("Host: web")


async def test_inside_its_network_a_machine_reaches_others_and_a_closed_port_is_refused(lab: Lab) -> None:
    assert await fetched(lab, "web1", WEB_ADDRESSES["web2"]) == "Host: web2"
    assert "(7)" in await fetched(lab, "web1", f"{WEB_ADDRESSES['web2']}:8080")


async def test_a_backend_that_is_hashed_to_itself_gets_no_answer() -> None:
    lab = Lab()
    lab.networks()
    lab.balancer()
    lab.webs(["web1"])
    async with running(lab):
        assert await unanswered(lab, "web1", FRONTEND_ADDRESS)


async def test_without_a_healthy_member_nobody_answers(lab: Lab) -> None:
    for name in WEB_ADDRESSES:
        await lab.network.break_web(name)
    await lab.network.settled()
    assert await unanswered(lab, "testVM", ENDPOINT_ADDRESS)


async def test_source_affinity_keeps_all_that_comes_through_one_nat_address_on_one_backend(lab: Lab) -> None:
    lab.balancer(rule={"loadDistribution": "SourceIP"})
    script = f"for i in $(seq 20); do curl -s http://{ENDPOINT_ADDRESS}/; echo; done"
    assert len(set((await lab.run("testVM", script)).splitlines())) == 1


async def test_a_channel_through_the_link_carries_the_page(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        reader, writer = await connection.open_connection(ENDPOINT_ADDRESS, 80)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        assert re.search(rb"\r\n\r\nHost: web[123]$", await reader.read())


@pytest.mark.parametrize(
    ("address", "port", "words", "waits"),
    [
        (FRONTEND_ADDRESS, 80, "Connection timed out", True),
        ("10.1.0.4", 8080, "Connection refused", False),
        ("no-such-name", 80, "Name or service not known", False),
    ],
)
async def test_a_channel_that_cannot_be_opened_says_so_in_sshds_words(
    lab: Lab, address: str, port: int, words: str, waits: bool
) -> None:
    async with lab.ssh("testVM") as connection:
        opening = asyncio.ensure_future(connection.open_connection(address, port))
        if waits:
            await lab.clock.pass_over(CONNECT_TIMEOUT)
        with pytest.raises(asyncssh.ChannelOpenError, match=words) as failure:
            await opening
        assert failure.value.code == asyncssh.OPEN_CONNECT_FAILED


async def test_a_client_that_goes_takes_its_waiting_channels_along(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        opening = asyncio.ensure_future(connection.open_connection(FRONTEND_ADDRESS, 80))
        await lab.clock.until_asleep(CONNECT_TIMEOUT)
        connection.abort()
        with pytest.raises(asyncssh.Error):
            await opening
    await lab.clock.until_awake(CONNECT_TIMEOUT)


async def test_an_idle_connection_through_the_link_ends_after_four_minutes(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        reader, _ = await connection.open_connection(ENDPOINT_ADDRESS, 80)
        await lab.clock.pass_over(4 * 60)
        assert await reader.read() == b""
