"""Whatever is sent, the answer is one of Azure's, and the resources still fit together."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plstui.sandbox.azure import Azure
from plstui.sandbox.providers import network
from tests.sandbox.invariants import problems
from tests.sandbox.providers.network.conftest import LOCATION, Lab
from tests.sandbox.support import sandbox

PATHS = (
    "virtualNetworks/v",
    "virtualNetworks/w",
    "virtualNetworks/v/subnets/a",
    "virtualNetworks/v/subnets/b",
    "virtualNetworks/v/virtualNetworkPeerings/p",
    "networkSecurityGroups/nsg",
    "networkSecurityGroups/nsg/securityRules/r",
    "applicationSecurityGroups/asg",
    "networkInterfaces/n",
    "networkInterfaces/m",
    "publicIPAddresses/p",
    "natGateways/nat",
    "loadBalancers/lb",
    "loadBalancers/lb/backendAddressPools/pool",
    "loadBalancers/lb/inboundNatRules/ssh",
)

REFERENCES = (*PATHS, "loadBalancers/lb/frontendIPConfigurations/front", "loadBalancers/lb/probes/http", "x/y")

NAMES = {
    "": ("location", "properties", "tags", "sku", "zones", "name"),
    "properties": (
        "addressSpace",
        "subnets",
        "virtualNetworkPeerings",
        "addressPrefix",
        "addressPrefixes",
        "remoteVirtualNetwork",
        "securityRules",
        "priority",
        "protocol",
        "ipConfigurations",
        "subnet",
        "privateIPAddress",
        "privateIPAllocationMethod",
        "publicIPAddress",
        "publicIpAddresses",
        "networkSecurityGroup",
        "natGateway",
        "frontendIPConfigurations",
        "frontendIPConfiguration",
        "backendAddressPools",
        "backendAddressPool",
        "loadBalancingRules",
        "loadBalancerBackendAddressPools",
        "loadBalancerInboundNatRules",
        "loadBalancerBackendAddresses",
        "probes",
        "inboundNatRules",
        "outboundRules",
        "frontendPort",
        "backendPort",
        "idleTimeoutInMinutes",
        "delegations",
        "dhcpOptions",
        "properties",
        "name",
        "id",
    ),
}

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.sampled_from(["10.0.0.0/16", "10.0.1.0/24", "10.0.0.9", "a", "b", "Static", "Tcp", "Inbound", "*", "Standard"]),
    st.sampled_from(
        [f"/subscriptions/{{}}/resourceGroups/g/providers/Microsoft.Network/{path}" for path in REFERENCES]
    ),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(NAMES["properties"]), inner, max_size=4),
    ),
    max_leaves=12,
)
BODIES = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {"properties": st.dictionaries(st.sampled_from(NAMES["properties"]), VALUES, max_size=5)},
        optional={name: VALUES for name in NAMES[""] if name != "properties"} | {"location": st.just(LOCATION)},
    ),
)
CALLS = st.lists(
    st.tuples(st.sampled_from(["PUT", "PUT", "PUT", "PATCH", "DELETE", "GET", "POST"]), st.sampled_from(PATHS), BODIES),
    min_size=1,
    max_size=6,
)


async def _start() -> Lab:
    azure = Azure()
    lab = Lab(sandbox(network.endpoints(azure), azure=azure))
    await lab.isv.call("PUT", lab.isv.group("g"), {"location": LOCATION})
    await lab.network()
    await lab.balancer()
    await lab.nic("n", loadBalancerBackendAddressPools=[lab.ref("loadBalancers/lb/backendAddressPools/pool")])
    await lab.put("networkSecurityGroups/nsg")
    await lab.put("publicIPAddresses/p", {}, sku={"name": "Standard"})
    return lab


def _mended(value: Any, subscription: str) -> Any:
    """Ids that lead into this sandbox."""
    if isinstance(value, dict):
        return {name: _mended(inner, subscription) for name, inner in value.items()}
    if isinstance(value, list):
        return [_mended(inner, subscription) for inner in value]
    return value.replace("{}", subscription) if isinstance(value, str) else value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CALLS)
def test_nothing_but_answers(calls: list[tuple[str, str, Any]]) -> None:
    async def run() -> None:
        lab = await _start()
        for method, path, body in calls:
            response = await lab.isv.call(method, lab.id(path), _mended(body, lab.isv.subscription))
            assert response.status < 500, (method, path, body, response)
            if response.status < 300:
                await lab.isv.end_of(response)
        assert problems(lab.azure.store) == []
        lab.azure.operations.close()

    asyncio.run(run())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_resource_with_one_thing_changed(data: st.DataObject) -> None:
    """A body that was read, with one value in it replaced, goes deeper than one made up."""

    async def run() -> None:
        lab = await _start()
        path = data.draw(st.sampled_from(["virtualNetworks/v", "loadBalancers/lb", "networkInterfaces/n"]))
        body = deepcopy(await lab.get(path))
        places = list(_places(body))
        container, key = data.draw(st.sampled_from(places))
        container[key] = _mended(data.draw(VALUES), lab.isv.subscription)
        response = await lab.isv.call("PUT", lab.id(path), body)
        assert response.status < 500, response
        if response.status < 300:
            await lab.isv.end_of(response)
        assert problems(lab.azure.store) == []
        lab.azure.operations.close()

    asyncio.run(run())


def _places(value: Any) -> Any:
    """Every container and key in a body."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from _places(inner)
