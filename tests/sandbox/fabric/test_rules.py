"""Kinds of balancer rules and services beyond the lab's own."""

from __future__ import annotations

import asyncio

from plstui.sandbox.machines.network import CONNECT_TIMEOUT
from tests.sandbox.fabric.lab import (
    BALANCER,
    ENDPOINT_ADDRESS,
    FRONTEND,
    FRONTEND_ADDRESS,
    NSG,
    POOL,
    SUBNET,
    VNET,
    WEB_ADDRESSES,
    Lab,
    vm_id,
)


def open_group(lab: Lab) -> None:
    """Let every port of the backends be reached."""
    every = {"sourceAddressPrefix": "*", "sourcePortRange": "*", "destinationAddressPrefix": "*"}
    rule = {"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "destinationPortRange": "*"}
    lab.put(NSG, {"securityRules": [{"name": "all", "properties": {**rule, **every}}]})


async def test_a_rule_may_lead_to_another_port(lab: Lab) -> None:
    open_group(lab)
    lab.balancer(rule={"frontendPort": 8080, "backendPort": 80})
    assert (await lab.run("testVM", f"curl -s {ENDPOINT_ADDRESS}:8080")).startswith("Host: web")


async def test_a_rule_for_every_port_keeps_the_port(lab: Lab) -> None:
    open_group(lab)
    lab.balancer(rule={"protocol": "All", "frontendPort": 0, "backendPort": 0})
    assert (await lab.run("testVM", f"curl -s {ENDPOINT_ADDRESS}")).startswith("Host: web")
    assert "(7)" in await lab.run("testVM", f"curl -sS {ENDPOINT_ADDRESS}:8080 2>&1")


async def test_floating_ip_needs_an_address_that_no_machine_has(lab: Lab) -> None:
    lab.balancer(rule={"enableFloatingIP": True})
    fetching = asyncio.ensure_future(lab.run("testVM", f"curl -sS {ENDPOINT_ADDRESS} 2>&1"))
    await lab.clock.pass_over(CONNECT_TIMEOUT)
    assert "(28)" in await fetching


async def test_an_inbound_nat_rule_leads_to_one_machine(lab: Lab) -> None:
    nic = SUBNET.partition("/virtualNetworks/")[0] + "/networkInterfaces/web3-nic"
    values = {
        "frontendIPConfiguration": {"id": FRONTEND},
        "frontendPort": 5003,
        "backendPort": 80,
        "backendIPConfiguration": {"id": f"{nic}/ipConfigurations/ipconfig1"},
    }
    lab.change(BALANCER, inboundNatRules=[{"name": "web3", "properties": values}])
    pages = await lab.run("web1", f"for i in 1 2 3; do curl -s {FRONTEND_ADDRESS}:5003; echo; done")
    assert pages == "Host: web3\n" * 3


async def test_a_pool_may_list_addresses(lab: Lab) -> None:
    lab.webs(["web1", "web2", "web3"], pool=False)
    address = {"ipAddress": WEB_ADDRESSES["web2"], "virtualNetwork": {"id": VNET}}
    pool = {"id": POOL, "name": "pool", "properties": {"loadBalancerBackendAddresses": [{"properties": address}]}}
    lab.change(BALANCER, backendAddressPools=[pool])
    await lab.network.settled()
    assert await lab.run("testVM", f"curl -s {ENDPOINT_ADDRESS}") == "Host: web2"


async def test_a_service_may_forward_to_an_address(lab: Lab) -> None:
    lab.service(loadBalancerFrontendIpConfigurations=None, destinationIPAddress=WEB_ADDRESSES["web1"])
    assert await lab.run("testVM", f"curl -s {ENDPOINT_ADDRESS}") == "Host: web1"


async def test_without_tcp_reset_an_idle_connection_is_forgotten_in_silence(lab: Lab) -> None:
    lab.balancer(rule={"enableTcpReset": False})
    async with lab.ssh("testVM") as connection:
        reader, writer = await connection.open_connection(ENDPOINT_ADDRESS, 80)
        await lab.clock.pass_over(4 * 60)
        writer.write(b"GET / HTTP/1.0\r\n\r\n")
        reading = asyncio.ensure_future(reader.read())
        # Another page has come and gone by the time a machine that heard the request would have answered.
        assert (await connection.run(f"curl -s {ENDPOINT_ADDRESS}")).returncode == 0
        assert not reading.done()
        reading.cancel()


async def test_a_balancer_of_its_own_keeps_idle_connections_as_long_as_its_rule_says(lab: Lab) -> None:
    async with lab.ssh("web1") as connection:
        # Not to itself: that one never opens.
        lab.webs(["web1"], pool=False)
        await lab.network.settled()
        reader, _ = await connection.open_connection(FRONTEND_ADDRESS, 80)
        await lab.clock.pass_over(15 * 60)
        assert await reader.read() == b""


async def test_a_windows_machine_is_on_its_network_and_runs_nothing_here(lab: Lab) -> None:
    profile = {"computerName": "testVM", "adminUsername": "azureuser", "windowsConfiguration": {}}
    lab.change(vm_id("testVM"), vmId="another", osProfile=profile)
    await lab.network.settled()
    assert "testVM" not in [endpoint.name for endpoint in lab.network.ssh_endpoints()]
    output = await lab.network.run_command(vm_id("testVM"), "hostname")
    assert (output.exit_code, output.stdout) == (127, "")
    assert "Windows" in output.stderr
