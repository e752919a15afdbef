"""Which writes are work: the state that an answer shows, by what more than a hundred recordings show."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.providers.network.conftest import LOCATION, Lab

LB = "loadBalancers/lb"


async def balancer_state(lab: Lab, **properties: Any) -> str:
    """The state in the answer to a PUT of a public Standard balancer."""
    front = {"name": "front", "properties": {"publicIPAddress": lab.ref("publicIPAddresses/p")}}
    body = {
        "location": LOCATION,
        "sku": {"name": "Standard"},
        "properties": {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "pool"}], **properties},
    }
    answer = await lab.isv.call("PUT", lab.id(LB), body)
    await lab.isv.end_of(answer)
    assert answer.status in (200, 201), answer
    return str(answer.body["properties"]["provisioningState"])


def rule(lab: Lab, name: str, port: int) -> dict[str, Any]:
    front = lab.ref(f"{LB}/frontendIPConfigurations/front")
    pool = lab.ref(f"{LB}/backendAddressPools/pool")
    ports = {"protocol": "Tcp", "frontendPort": port, "backendPort": port}
    return {"name": name, "properties": {**ports, "frontendIPConfiguration": front, "backendAddressPool": pool}}


async def test_a_public_balancer_is_busy_once_rules_are_at_work(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    one, two = rule(lab, "one", 80), rule(lab, "two", 81)

    states = [await balancer_state(lab, loadBalancingRules=rules) for rules in ([], [one], [one, two], [one], [])]

    assert states == ["Succeeded", "Succeeded", "Updating", "Updating", "Updating"]


async def test_a_public_balancer_is_busy_with_members_by_address(lab: Lab) -> None:
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    await lab.network()
    member = {"ipAddress": "10.0.0.9", "virtualNetwork": lab.ref("virtualNetworks/v")}
    pool = {"name": "pool", "properties": {"loadBalancerBackendAddresses": [{"name": "m", "properties": member}]}}
    probe = {"name": "p", "properties": {"protocol": "Tcp", "port": 80}}
    await balancer_state(lab, backendAddressPools=[pool])

    assert await balancer_state(lab, backendAddressPools=[pool], probes=[probe]) == "Updating"
    emptied = {"name": "pool", "properties": {"loadBalancerBackendAddresses": []}}
    assert await balancer_state(lab, backendAddressPools=[emptied]) == "Updating"
    assert await balancer_state(lab) == "Succeeded"


@pytest.mark.parametrize(("sku", "state"), [("Basic", "Succeeded"), ("Standard", "Updating")])
async def test_a_member_of_a_standard_balancer_is_busy_whatever_changes(lab: Lab, sku: str, state: str) -> None:
    await lab.network()
    front = {"name": "front", "properties": {"subnet": lab.ref("virtualNetworks/v/subnets/a")}}
    await lab.put(
        LB, {"frontendIPConfigurations": [front], "backendAddressPools": [{"name": "pool"}]}, sku={"name": sku}
    )
    inner: dict[str, Any] = {"subnet": lab.ref("virtualNetworks/v/subnets/a")}

    async def put(**changes: Any) -> str:
        inner.update(changes)
        properties = {"ipConfigurations": [{"name": "one", "properties": inner}]}
        answer = await lab.isv.call(
            "PUT", lab.id("networkInterfaces/n"), {"location": LOCATION, "properties": properties}
        )
        await lab.isv.end_of(answer)
        return str(answer.body["properties"]["provisioningState"])

    assert await put() == "Succeeded"
    assert await put(loadBalancerBackendAddressPools=[lab.ref(f"{LB}/backendAddressPools/pool")]) == state
    assert await put(privateIPAllocationMethod="Static", privateIPAddress="10.0.0.77") == state
    assert await put(loadBalancerBackendAddressPools=[]) == state
    assert await put(privateIPAddress="10.0.0.78") == "Succeeded"


async def test_a_basic_balancer_changes_at_once_even_inside(slow: Lab) -> None:
    front = {"name": "front", "properties": {"subnet": slow.ref("virtualNetworks/v/subnets/a")}}
    await slow.network()
    await slow.put("loadBalancers/lb", {"frontendIPConfigurations": [front]}, sku={"name": "Basic"})

    changed = await slow.isv.call(
        "PUT",
        slow.id("loadBalancers/lb"),
        {
            "location": LOCATION,
            "sku": {"name": "Basic"},
            "properties": {"frontendIPConfigurations": [front, {**front, "name": "other"}]},
        },
    )

    assert changed.body["properties"]["provisioningState"] == "Succeeded"


async def test_a_pool_of_a_network_takes_its_time_to_go(slow: Lab) -> None:
    standard = {"name": "Standard"}
    await slow.network()
    pool = {"name": "pool", "properties": {"virtualNetwork": slow.ref("virtualNetworks/v"), "syncMode": "Automatic"}}
    await slow.put("loadBalancers/lb", {"backendAddressPools": [pool]}, sku=standard)

    changed = await slow.isv.call(
        "PUT", slow.id("loadBalancers/lb"), {"location": LOCATION, "sku": standard, "properties": {}}
    )

    assert changed.body["properties"]["provisioningState"] == "Updating"
