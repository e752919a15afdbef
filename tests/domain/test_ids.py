"""Resource ids: ARM's case is not to be relied on, its text is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.domain.ids import ResourceId

CONNECTION = (
    "/subscriptions/5b1f9c34/resourceGroups/lab-rg/providers/Microsoft.Network/privateLinkServices/saas"
    "/privateEndpointConnections/endpoint.guid"
)

names = st.text(st.characters(exclude_characters="/"), min_size=1, max_size=20).filter(
    lambda name: name == name.strip()
)
pairs = st.lists(st.tuples(names, names), min_size=1, max_size=4)


@st.composite
def resource_ids(draw: st.DrawFn) -> str:
    path = "".join(f"/{kind}/{name}" for kind, name in draw(pairs))
    return f"/subscriptions/{draw(names)}/resourceGroups/{draw(names)}/providers/{draw(names)}{path}"


def test_the_parts_of_an_id() -> None:
    connection = ResourceId.parse(CONNECTION)

    assert connection.subscription == "5b1f9c34"
    assert connection.resource_group == "lab-rg"
    assert connection.type == "Microsoft.Network/privateLinkServices/privateEndpointConnections"
    assert connection.name == "endpoint.guid"
    assert connection.is_type("microsoft.network/PRIVATELINKSERVICES/privateEndpointConnections")


def test_parents_lead_up_to_the_group() -> None:
    connection = ResourceId.parse(CONNECTION)
    service = connection.parent
    assert service is not None
    group = service.parent
    assert group is not None

    assert service.type == "Microsoft.Network/privateLinkServices"
    assert group.text == "/subscriptions/5b1f9c34/resourceGroups/lab-rg"
    assert (group.type, group.name) == ("Microsoft.Resources/resourceGroups", "lab-rg")
    assert group.parent is None
    assert service.child("privateEndpointConnections", "endpoint.guid") == connection


def test_a_group_may_have_any_name() -> None:
    group = "/subscriptions/s/resourceGroups/providers"
    endpoint = ResourceId.parse(f"{group}/providers/Microsoft.Network/privateEndpoints/e")

    assert endpoint.parent == ResourceId.parse(group)


def test_a_subscription_is_an_id_too() -> None:
    subscription = ResourceId.parse("/subscriptions/5b1f9c34/")

    assert (subscription.type, subscription.name) == ("Microsoft.Resources/subscriptions", "5b1f9c34")
    assert subscription.resource_group == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "saasPrivateEndpoint",
        "/subscriptions/",
        "/subscriptions/s/resourceGroups",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints",
        "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints//",
        "/subscriptions/s/resourceGroups/g/privateEndpoints/e",
    ],
)
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a resource id"):
        ResourceId.parse(text)


def test_what_is_no_id_can_still_be_carried() -> None:
    odd = ResourceId("whatever Azure sent")

    assert (odd.name, odd.type, odd.subscription, odd.parent) == ("whatever Azure sent", "", "", None)


@given(resource_ids())
def test_ids_are_equal_in_any_case_and_keep_their_text(text: str) -> None:
    one, other = ResourceId.parse(text), ResourceId.parse(text.lower())

    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == text
    assert len({one, other}) == 1


@given(resource_ids(), names, names)
def test_a_child_knows_its_parent(text: str, kind: str, name: str) -> None:
    parent = ResourceId.parse(text)
    child = parent.child(kind, name)

    assert child.parent == parent
    assert child.name == name
    assert child.type == f"{parent.type}/{kind}"
