"""Outbound access at first boot decides what serves the page."""

from __future__ import annotations

import pytest

from plstui.sandbox.fabric.outbound import reaches_internet
from plstui.sandbox.fabric.topology import Topology
from tests.sandbox.fabric.lab import BALANCER, GATEWAY, NETWORK, NSG, SUBNET, Lab, body, running

SERVER = "curl -sI localhost | grep -i ^server"


async def test_with_a_nat_gateway_nginx_serves_the_page(lab: Lab) -> None:
    assert (await lab.run("web1", SERVER)).startswith("Server: nginx/")
    assert await lab.run("web1", "systemctl is-active nginx host-page") == "active\ninactive\n"


async def test_an_isolated_machine_serves_the_page_with_python() -> None:
    lab = Lab()
    lab.networks(nat_gateway=False)
    lab.balancer()
    lab.webs(["web1"])
    async with running(lab):
        assert (await lab.run("web1", SERVER)).startswith("Server: SimpleHTTP/")
        assert await lab.run("web1", "curl -s localhost") == "Host: web1"
        assert await lab.run("web1", "systemctl is-active host-page; command -v nginx; cloud-init status") == (
            "active\nstatus: done\n"
        )


async def test_what_was_installed_stays_when_the_way_out_goes(lab: Lab) -> None:
    lab.subnet()
    await lab.network.stop_machine("web1")
    await lab.network.start_machine("web1")
    assert (await lab.run("web1", SERVER)).startswith("Server: nginx/")
    assert "Unable to locate" not in await lab.run("web1", "apt-get install -y nginx 2>&1")
    assert "E: Failed to fetch" in await lab.run("web1", "apt-get install -y apache2 2>&1")


@pytest.mark.parametrize(
    ("subnet", "nic", "reaches"),
    [
        ({}, {}, True),
        ({"defaultOutboundAccess": False}, {}, False),
        ({"defaultOutboundAccess": False, "natGateway": {"id": GATEWAY}}, {}, True),
        ({"defaultOutboundAccess": False}, {"publicIPAddress": {"id": f"{NETWORK}/publicIPAddresses/p"}}, True),
        ({}, {"loadBalancerBackendAddressPools": [{"id": f"{BALANCER}/backendAddressPools/pool"}]}, False),
        ({"networkSecurityGroup": {"id": NSG}}, {}, False),
    ],
)
def test_ways_out(subnet: dict[str, object], nic: dict[str, object], reaches: bool) -> None:
    lab = Lab()
    lab.networks()
    lab.balancer()
    network, _, name = SUBNET.partition("/subnets/")
    values = {"addressPrefix": "10.0.1.0/24", **subnet}
    lab.change(network, subnets=[{"id": SUBNET, "name": name, "properties": values}])
    deny = {"priority": 100, "direction": "Outbound", "access": "Deny", "protocol": "*", "sourcePortRange": "*"}
    where = {"sourceAddressPrefix": "*", "destinationAddressPrefix": "Internet", "destinationPortRange": "*"}
    lab.store.put(body(NSG, {"securityRules": [{"name": "stop", "properties": {**deny, **where}}]}))
    interface = lab.nic("n", SUBNET, "10.0.1.20", **nic)
    topology = Topology(lab.store)
    topology.nic_changed(interface)
    (attachment,) = topology.nic_attachments(interface)
    assert reaches_internet(topology, attachment) is reaches


def test_a_public_balancer_lends_its_address() -> None:
    lab = Lab()
    lab.networks(nat_gateway=False)
    lab.balancer()
    lab.change(
        BALANCER,
        frontendIPConfigurations=[
            {"id": f"{BALANCER}/frontendIPConfigurations/front", "properties": {"publicIPAddress": {"id": "p"}}}
        ],
    )
    interface = lab.nic(
        "n", SUBNET, "10.0.1.20", loadBalancerBackendAddressPools=[{"id": f"{BALANCER}/backendAddressPools/pool"}]
    )
    topology = Topology(lab.store)
    topology.nic_changed(interface)
    (attachment,) = topology.nic_attachments(interface)
    assert reaches_internet(topology, attachment)
