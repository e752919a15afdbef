from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.providers.privatelink.lab import (
    CUSTOMER_NETWORK,
    DNS,
    ENDPOINT,
    FRONTEND,
    SAAS,
    SERVICE,
    SUBNET,
    ZONE,
    Lab,
    endpoint,
    service,
)
from tests.sandbox.support import CUSTOMER

NAMES = sorted(
    {"name", "id", "properties", "subnet", "ipConfigurations", "privateIPAddress", "privateIPAllocationMethod"}
    | {"loadBalancerFrontendIpConfigurations", "destinationIPAddress", "visibility", "autoApproval", "subscriptions"}
    | {"fqdns", "enableProxyProtocol", "privateLinkServiceConnections", "manualPrivateLinkServiceConnections"}
    | {"privateLinkServiceId", "groupIds", "requestMessage", "customNetworkInterfaceName", "status", "description"}
    | {"privateDnsZoneConfigs", "privateDnsZoneId", "privateLinkServiceConnectionState", "applicationSecurityGroups"}
    | {"location", "tags", "extendedLocation", "groupId", "memberName", "primary", "actionsRequired"}
)
WORDS = [SAAS, SUBNET, SERVICE, ENDPOINT, FRONTEND, ZONE, "Approved", "10.0.1.4", "10.1.0.9", "Static", "*", "/", ""]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)
GROUP = f"{ENDPOINT}/privateDnsZoneGroups/default"
LOCATION = f"/subscriptions/{CUSTOMER.id}/providers/Microsoft.Network/locations/westeurope"
CONNECTION = f"{SERVICE}/privateEndpointConnections/CONNECTION"

PATHS = [
    SERVICE,
    f"{SERVICE}2",
    CONNECTION,
    ENDPOINT,
    f"{ENDPOINT}2",
    GROUP,
    f"{SERVICE}/privateEndpointConnections",
    f"{LOCATION}/checkPrivateLinkServiceVisibility",
    f"{LOCATION}/autoApprovedPrivateLinkServices",
    f"{CUSTOMER_NETWORK}/privateEndpoints",
]


def mutated(body: dict[str, Any], path: list[str], value: Any) -> dict[str, Any]:
    """A good body with one thing in it replaced."""
    if not path:
        return body
    name, *rest = path
    inner = body.get(name)
    if rest and isinstance(inner, list) and inner and isinstance(inner[0], dict):
        return {**body, name: [mutated(inner[0], rest, value), *inner[1:]]}
    if rest and isinstance(inner, dict):
        return {**body, name: mutated(inner, rest, value)}
    return {**body, name: value}


good = st.sampled_from(
    [
        service(),
        service(autoApproval={"subscriptions": ["*"]}, visibility={"subscriptions": ["*"]}),
        endpoint(),
        endpoint(manual=False),
        endpoint(ipConfigurations=[{"name": "a", "properties": {"privateIPAddress": "10.1.0.8"}}]),
        {"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": ZONE}}]}},
        {"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}},
    ]
)
bodies = st.builds(mutated, good, st.lists(st.sampled_from(NAMES), max_size=5), anything) | anything
requests = st.tuples(st.sampled_from(["PUT", "DELETE", "PATCH", "GET", "POST"]), st.sampled_from(PATHS), bodies)


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(requests, max_size=6), linked=st.booleans(), settled=st.booleans())
async def test_whatever_is_sent_the_two_sides_agree(sent: list[Any], linked: bool, settled: bool) -> None:
    lab = await Lab().start()
    await lab.customer.put(ZONE, {"location": "global"}, api_version=DNS)
    await lab.isv.put(SERVICE, service())
    connection = ""
    if linked:
        await lab.customer.put(ENDPOINT, endpoint())
        connection = (await lab.connection())["name"]
    for method, path, body in sent:
        who = lab.isv if path.startswith(SERVICE) else lab.customer
        answer = await who.call(method, path.replace("CONNECTION", connection or "x"), body)
        assert answer.status < 500, answer.body
        if settled:
            await lab.azure.operations.settle()
        lab.check()
    await lab.azure.operations.settle()
    lab.check()
