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


Place = tuple[str | int, ...]


def places(value: Any, here: Place = ()) -> list[Place]:
    """Where in a body something can be replaced."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for name, inner in items for place in places(inner, (*here, name)))]


def mutated(body: Any, place: Place, value: Any) -> Any:
    """A body with one thing in it replaced."""
    if not place:
        return value
    name, *rest = place
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    copy[name] = mutated(body[name], tuple(rest), value)
    return copy


LISTS = {"subscriptions": ["*"]}
STATIC = [{"name": "a", "properties": {"privateIPAddress": "10.1.0.8"}}]
GOOD: list[tuple[list[str], list[dict[str, Any]]]] = [
    (
        [SERVICE, f"{SERVICE}2"],
        [service(), service(autoApproval=LISTS, visibility=LISTS, fqdns=["a.tradewinds.internal"])],
    ),
    ([ENDPOINT, f"{ENDPOINT}2"], [endpoint(), endpoint(manual=False), endpoint(ipConfigurations=STATIC)]),
    ([GROUP], [{"properties": {"privateDnsZoneConfigs": [{"name": "z", "properties": {"privateDnsZoneId": ZONE}}]}}]),
    ([CONNECTION], [{"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]),
]
"""Paths, and bodies that may be put there."""


def changed(body: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A body as it is, or with one thing in it replaced."""
    replaced = st.builds(mutated, st.just(body), st.sampled_from(places(body)), anything)
    return st.just(body) | replaced


writes = st.sampled_from(GOOD).flatmap(
    lambda good: st.tuples(st.just("PUT"), st.sampled_from(good[0]), st.sampled_from(good[1]).flatmap(changed))
)
others = st.tuples(st.sampled_from(["PUT", "DELETE", "PATCH", "GET", "POST"]), st.sampled_from(PATHS), anything)
deletions = st.tuples(st.just("DELETE"), st.sampled_from(PATHS[:6]), st.none())
requests = writes | deletions | writes | others


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(requests, max_size=8), linked=st.booleans(), settled=st.booleans())
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
