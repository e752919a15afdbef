"""ARM's JSON with holes, of the wrong shape or not meant well is no error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.mgmt.compute import models as compute
from azure.mgmt.network import models as network
from azure.mgmt.resource.resources import models as resources
from hypothesis import given
from hypothesis import strategies as st

from plstui.arm import mapping
from plstui.arm.fields import every
from plstui.domain.ids import ResourceId

PLS = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateLinkServices/pls"
CONVERSIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "group": (resources.ResourceGroup, mapping.group),
    "network": (network.VirtualNetwork, mapping.network),
    "security group": (network.NetworkSecurityGroup, mapping.security_group),
    "interface": (network.NetworkInterface, mapping.interface),
    "balancer": (network.LoadBalancer, mapping.balancer),
    "service": (network.PrivateLinkService, mapping.service),
    "connection": (network.PrivateEndpointConnection, mapping.connection),
    "endpoint": (network.PrivateEndpoint, mapping.endpoint),
    "machine": (compute.VirtualMachine, mapping.machine),
}


@pytest.mark.parametrize("kind", CONVERSIONS)
@pytest.mark.parametrize("properties", [{}, None, "text", [], {"provisioningState": None}])
def test_whatever_is_missing_or_null_is_empty(kind: str, properties: Any) -> None:
    model, convert = CONVERSIONS[kind]

    fact = convert(model({"id": f"{PLS}/children/x", "name": None, "properties": properties}))

    assert (fact.name, fact.provisioning_state) == ("x", "")


@pytest.mark.parametrize("kind", CONVERSIONS)
@pytest.mark.parametrize("value", [None, "", "no id", 7, {}])
def test_what_has_no_id_is_left_out(kind: str, value: Any) -> None:
    model, convert = CONVERSIONS[kind]

    assert every(convert, [model({"id": value}), None, "x"]) == ()


KEYS = [
    "id",
    "name",
    "properties",
    "status",
    "code",
    "zones",
    "sku",
    "tags",
    "addressSpace",
    "addressPrefixes",
    "subnets",
    "ipConfigurations",
    "probes",
    "port",
    "statuses",
    "instanceView",
    "networkProfile",
    "networkInterfaces",
    "privateEndpointConnections",
    "privateLinkServiceConnectionState",
    "privateEndpoint",
    "loadBalancingRules",
    "backendAddressPools",
    "securityRules",
    "priority",
    "destinationPortRanges",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(PLS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES))
def test_no_json_of_whatever_shape_is_an_error(document: dict[str, Any]) -> None:
    for _, convert in CONVERSIONS.values():
        convert(document)
    mapping.rule_health(document, ResourceId(PLS), ResourceId(PLS))
