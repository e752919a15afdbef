"""What the balancer's probes say of its members."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.ports import MemberHealth
from tests.sandbox.fabric.lab import NSG, RULE, WEB_ADDRESSES, Lab, running, vm_id

INTERVAL = 15


def health(lab: Lab) -> dict[str, tuple[bool, str]]:
    """Up or down and why, by machine."""
    names = {address: name for name, address in WEB_ADDRESSES.items()}
    members: list[MemberHealth] = list(lab.network.rule_health(RULE))
    return {names[member.ip_address]: (member.up, member.reason) for member in members}


UP = (True, "Up_Probe_Success")
DOWN = (False, "Down_Probe_TcpProbeTimeout")


async def test_members_that_serve_are_up(lab: Lab) -> None:
    assert health(lab) == dict.fromkeys(WEB_ADDRESSES, UP)


async def test_a_member_is_named_by_its_ip_configuration(lab: Lab) -> None:
    ids = [member.ip_configuration_id for member in lab.network.rule_health(RULE.upper())]
    assert all(identity.endswith("-nic/ipConfigurations/ipconfig1") for identity in ids)
    assert len(set(ids)) == 3


async def test_a_web_server_that_stops_takes_its_member_down_after_the_threshold(lab: Lab) -> None:
    naps = lab.clock.naps
    await lab.run("web2", "systemctl stop nginx")
    wavering = (True, "Up_Probe_ApproachingUnhealthyThreshold")
    await lab.clock.until(lambda: health(lab)["web2"] == wavering and lab.clock.naps > naps)
    lab.clock.advance(INTERVAL)
    await lab.clock.until(lambda: health(lab)["web2"] == DOWN)
    assert health(lab) == {"web1": UP, "web2": DOWN, "web3": UP}


async def test_a_web_server_that_is_started_again_brings_its_member_up(lab: Lab) -> None:
    await lab.network.break_web("web2")
    await lab.network.settled()
    assert health(lab)["web2"] == DOWN
    await lab.run("web2", "systemctl start nginx")
    await lab.network.settled()
    assert health(lab)["web2"] == UP


@pytest.mark.parametrize("verb", ["stop_machine", "hang_machine"])
async def test_a_machine_that_does_not_answer_is_down(lab: Lab, verb: str) -> None:
    await getattr(lab.network, verb)("web3")
    await lab.network.settled()
    assert health(lab) == {"web1": UP, "web2": UP, "web3": DOWN}
    await lab.network.start_machine("web3")
    await lab.network.settled()
    assert health(lab)["web3"] == UP


async def test_a_deleted_machine_leaves_a_member_that_is_down(lab: Lab) -> None:
    lab.delete(vm_id("web1"))
    await lab.network.settled()
    assert health(lab)["web1"] == DOWN


async def test_an_interface_that_leaves_the_pool_is_no_member(lab: Lab) -> None:
    lab.webs(["web1"], pool=False)
    await lab.network.settled()
    assert set(health(lab)) == {"web2", "web3"}


async def test_a_rule_that_denies_the_balancers_tag_takes_members_down(lab: Lab) -> None:
    values = {"priority": 100, "direction": "Inbound", "access": "Deny", "protocol": "*", "sourcePortRange": "*"}
    where = {"destinationAddressPrefix": "*", "destinationPortRange": "*"}
    rule = {"name": "stop", "properties": {**values, **where, "sourceAddressPrefix": "AzureLoadBalancer"}}
    lab.put(NSG, {"securityRules": [rule]})
    await lab.network.settled()
    assert set(health(lab).values()) == {DOWN}


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        ({"protocol": "Http", "requestPath": "/"}, UP),
        ({"protocol": "Http", "requestPath": "/", "port": 8080}, (False, "Down_Probe_HttpEndpointUnreachable")),
        ({"port": 8080}, DOWN),
    ],
)
async def test_the_probe_asks_what_it_is_told_to(probe: dict[str, Any], expected: tuple[bool, str]) -> None:
    lab = Lab()
    lab.networks()
    lab.webs(["web1"])
    lab.balancer(probe=probe)
    async with running(lab):
        assert health(lab) == {"web1": expected}


async def test_an_http_probe_wants_status_200(lab: Lab) -> None:
    lab.balancer(probe={"protocol": "Http", "requestPath": "/"})
    await lab.run("web1", "rm /var/www/html/index.html")
    lab.network.probe_now()
    await lab.network.settled()
    assert health(lab)["web1"] == (False, "Down_Probe_HttpStatusCodeError")


async def test_without_a_probe_every_member_is_up(lab: Lab) -> None:
    lab.balancer(rule={"probe": None})
    await lab.network.break_web("web1")
    await lab.network.settled()
    assert health(lab)["web1"] == UP


async def test_an_unknown_rule_has_no_members(lab: Lab) -> None:
    assert lab.network.rule_health(RULE + "x") == []
