from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.providers.privatelink.lab import CUSTOMER_GROUP, SERVICE, Lab, service
from tests.sandbox.support import CUSTOMER, ISV, Principal

SUBSCRIPTION = f"/subscriptions/{CUSTOMER.id}"
WHERE = "providers/Microsoft.Network/locations"


async def ask(who: Principal, alias: str, where: str = "") -> Any:
    path = f"{where or f'/subscriptions/{who.subscription}'}/{WHERE}/westeurope/checkPrivateLinkServiceVisibility"
    answer = await who.call("POST", path, {"privateLinkServiceAlias": alias})
    assert answer.status == 200
    return answer.body["visible"]


@pytest.mark.parametrize(
    ("listed", "visible"), [(None, True), ([], False), ([ISV.id], False), ([CUSTOMER.id], True), (["*"], True)]
)
async def test_a_subscription_finds_out_whether_it_sees_a_service(listed: list[str] | None, visible: bool) -> None:
    lab = await Lab().start()
    lists = None if listed is None else {"subscriptions": listed}
    alias = (await lab.isv.put(SERVICE, service(visibility=lists)))["properties"]["alias"]
    assert await ask(lab.customer, alias) is visible
    assert await ask(lab.customer, alias.upper(), CUSTOMER_GROUP) is visible
    assert await ask(lab.isv, alias) is True
    assert await ask(lab.customer, f"x{alias}") is False
    assert await ask(lab.customer, SERVICE) is False


async def test_a_subscription_finds_the_services_that_let_it_in() -> None:
    lab = await Lab().start()
    lists = {"subscriptions": [CUSTOMER.id]}
    alias = (await lab.isv.put(SERVICE, service(visibility=lists, autoApproval=lists)))["properties"]["alias"]
    await lab.isv.put(f"{SERVICE}2", service(visibility=lists))
    for where in (SUBSCRIPTION, CUSTOMER_GROUP):
        listed = await lab.customer.get(f"{where}/{WHERE}/West Europe/autoApprovedPrivateLinkServices")
        assert listed == {"value": [{"privateLinkService": alias}]}
    elsewhere = await lab.customer.get(f"{SUBSCRIPTION}/{WHERE}/northeurope/autoApprovedPrivateLinkServices")
    assert elsewhere == {"value": []}
    own = await lab.isv.get(f"/subscriptions/{ISV.id}/{WHERE}/westeurope/autoApprovedPrivateLinkServices")
    assert own == {"value": []}


async def test_the_questions_have_one_verb_each() -> None:
    lab = await Lab().start()
    asked = f"{SUBSCRIPTION}/{WHERE}/westeurope"
    assert (await lab.customer.failure("GET", f"{asked}/checkPrivateLinkServiceVisibility"))[0] == 405
    assert (await lab.customer.failure("POST", f"{asked}/autoApprovedPrivateLinkServices", {}))[0] == 405
    assert (await lab.customer.failure("GET", f"{asked}/autoApprovedPrivateLinkServices/x"))[0] == 404
    assert (await lab.customer.failure("POST", f"{asked}/checkPrivateLinkServiceVisibility/x", {}))[0] == 404
