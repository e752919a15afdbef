"""The worlds with many customers: who is there, when they ask, and that nothing in them contradicts itself."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from plstui.domain.ids import ResourceId
from plstui.sandbox import workshop
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.parties import Party
from plstui.sandbox.ports import Json
from plstui.sandbox.sandbox import Sandbox
from tests.sandbox.invariants import problems
from tests.support.served import serve

SERVICE = "Microsoft.Network/privateLinkServices"
ENDPOINT = "Microsoft.Network/privateEndpoints"
BALANCER = "Microsoft.Network/loadBalancers"
MANUAL = "manualPrivateLinkServiceConnections"

MUCH = 60
"""Seconds by the clock on the wall after which what has not happened will not."""


async def built(world: str) -> Sandbox:
    """A world without its machines running."""
    sandbox = Sandbox()
    key = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    await sandbox.build(world, public_key=key, web_user_data="", client_user_data="")
    return sandbox


async def call(sandbox: Sandbox, who: Party, method: str, path: str, body: Any = None) -> Response:
    """One request with the rights of a party's owner, to the end of what it starts."""
    token = sandbox.azure.directory.issue(who.owner.tenant, who.owner.client_id, who.owner.secret, "https://localhost")
    headers = {"authorization": f"Bearer {token['access_token']}"}
    content = b"" if body is None else json.dumps(body).encode()
    response = await sandbox.handle(Request(method, path, {"api-version": "2024-05-01"}, headers, content))
    await sandbox.azure.operations.settle()
    return response


def connections(service: Json) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service["properties"]["privateEndpointConnections"]
    return found


def status(connection: Json) -> str:
    word: str = connection["properties"]["privateLinkServiceConnectionState"]["status"]
    return word


# workshop


@pytest.fixture
async def lab() -> AsyncIterator[Sandbox]:
    sandbox = await built("workshop")
    yield sandbox
    await sandbox.stop()


def asked(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The connections of the one service."""
    [service] = sandbox.azure.store.of_type(SERVICE)
    return connections(service)


async def turn(sandbox: Sandbox, seconds: int) -> None:
    """Turn the clock second by second; whoever's time comes in between has done what was to be done then."""
    for _ in range(seconds):
        second = asyncio.create_task(sandbox.azure.clock.sleep(1))
        await asyncio.sleep(0)  # The task begins to wait.
        sandbox.azure.clock.advance(1)
        await second


async def test_a_workshop_begins_with_a_few_requests_and_the_first_customer_s_is_shown(lab: Sandbox) -> None:
    store = lab.azure.store

    assert [status(connection) for connection in asked(lab)] == ["Pending"] * (1 + workshop.EARLY)
    [own] = store.in_subscription(lab.customer.subscription.id, ENDPOINT)
    assert own["name"] == "saasPrivateEndpoint"
    assert len(lab.azure.directory.tenants()) == 1 + workshop.CUSTOMERS
    assert len(store.of_type("Microsoft.Network/virtualNetworks")) == 1 + workshop.CUSTOMERS
    assert problems(store) == []


async def test_requests_arrive_one_after_the_other_while_the_clock_is_turned(lab: Sandbox) -> None:
    clock, seen = lab.azure.clock, len(asked(lab))
    times: list[float] = [clock.time()]

    while len(asked(lab)) < workshop.CUSTOMERS:
        await turn(lab, 1)
        times += [clock.time()] * (len(asked(lab)) - seen)
        seen = len(asked(lab))

    least, most = workshop.PAUSE
    pauses = [after - before for before, after in pairwise(times)]
    assert len(pauses) == workshop.CUSTOMERS - 1 - workshop.EARLY
    assert least - 1.1 <= min(pauses) <= max(pauses) <= most + 1.1
    whose = [ResourceId(connection["properties"]["privateEndpoint"]["id"]).subscription for connection in asked(lab)]
    assert len(set(whose)) == workshop.CUSTOMERS
    assert problems(lab.azure.store) == []


async def test_a_clock_that_is_turned_far_at_once_brings_all_who_would_have_asked_by_then(lab: Sandbox) -> None:
    everybody = asyncio.Event()
    lab.azure.store.subscribe(lambda _: everybody.set() if len(asked(lab)) == workshop.CUSTOMERS else None)

    lab.azure.clock.advance(workshop.PAUSE[1] * workshop.CUSTOMERS)

    async with asyncio.timeout(MUCH):
        await everybody.wait()


async def test_a_workshop_goes_the_same_way_every_time(lab: Sandbox) -> None:
    again = await built("workshop")
    try:
        for sandbox in (lab, again):
            await turn(sandbox, round(workshop.PAUSE[1] * workshop.CUSTOMERS))

        stories = [
            [(e["name"], e["properties"][MANUAL]) for e in s.azure.store.of_type(ENDPOINT)] for s in (lab, again)
        ]
        told = [
            [(name, item["properties"]["requestMessage"]) for name, items in story for item in items]
            for story in stories
        ]
        assert told[0] == told[1]
        assert len(told[0]) == workshop.CUSTOMERS
        assert all(0 < len(message) <= 140 for _, message in told[0])
    finally:
        await again.stop()


async def test_a_guest_who_is_refused_asks_again(lab: Sandbox) -> None:
    service_id = lab.azure.store.of_type(SERVICE)[0]["id"]
    service = (await call(lab, lab.isv, "GET", service_id)).body
    hidden = {**service, "properties": {**service["properties"], "visibility": {"subscriptions": []}}}
    assert (await call(lab, lab.isv, "PUT", service_id, hidden)).status == 200
    await turn(lab, 60)
    assert len(asked(lab)) == 1 + workshop.EARLY

    assert (await call(lab, lab.isv, "PUT", service_id, service)).status == 200
    await turn(lab, round(workshop.PAUSE[1] * workshop.CUSTOMERS))

    assert len(asked(lab)) == workshop.CUSTOMERS


def test_whoever_wants_to_can_be_a_guest(tmp_path: Path) -> None:
    with serve(tmp_path, "workshop") as served:
        customers = served.ready["customers"]
        guest = customers[-1]
        client = {name: guest[name] for name in ("client_id", "client_secret")}

        address = f"{served.ready['arm']}/subscriptions?api-version=2022-12-01"
        [subscription] = served.call("GET", address, served.token_of(guest["tenant"], client))["value"]

        assert len(customers) == workshop.CUSTOMERS - 1
        assert (subscription["subscriptionId"], subscription["displayName"]) == (guest["subscription"], guest["name"])


# fleet


@pytest.fixture(scope="module")
def fleet() -> Iterator[Sandbox]:
    """Built once; tests leave it as large as it was."""
    sandbox = asyncio.run(built("fleet"))
    yield sandbox
    asyncio.run(sandbox.stop())


def services(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(sandbox.azure.store.of_type(SERVICE))


def fullest(sandbox: Sandbox) -> dict[str, Any]:
    return max(services(sandbox), key=lambda service: len(connections(service)))


def test_a_fleet_has_fifty_services_a_few_of_them_full_and_a_long_tail(fleet: Sandbox) -> None:
    sizes = sorted((len(connections(service)) for service in services(fleet)), reverse=True)
    balancers = Counter(
        ResourceId(frontend["id"]).parent
        for service in services(fleet)
        for frontend in service["properties"]["loadBalancerFrontendIpConfigurations"]
    )

    assert len(sizes) == 50
    assert sizes[:3] == [1000] * 3
    assert sizes[3] < 500
    assert sizes[25] < 50
    assert 4000 <= sum(sizes) <= 6000
    assert max(balancers.values()) <= 8
    assert len(balancers) == len(fleet.azure.store.of_type(BALANCER))


def test_the_statuses_of_a_fleet_are_mixed(fleet: Sandbox) -> None:
    found = Counter(status(connection) for service in services(fleet) for connection in connections(service))
    ours = Counter(
        status(request)
        for endpoint in fleet.azure.store.in_subscription(fleet.customer.subscription.id, ENDPOINT)
        for request in endpoint["properties"][MANUAL]
    )

    assert min(found[word] for word in ("Approved", "Pending", "Rejected")) > 100
    assert min(ours[word] for word in ("Approved", "Pending", "Rejected", "Disconnected")) > 3


def test_both_ends_of_every_connection_in_a_fleet_agree(fleet: Sandbox) -> None:
    assert problems(fleet.azure.store) == []


async def test_a_fleet_is_the_same_every_time() -> None:
    contents = []
    for _ in range(2):
        sandbox = await built("fleet")
        contents.append({body["id"]: without_etags(body) for body in sandbox.azure.store})
        await sandbox.stop()

    assert contents[0] == contents[1]


def without_etags(body: Any) -> Any:
    """A body without what tells one moment from another."""
    if isinstance(body, Mapping):
        return {name: without_etags(value) for name, value in body.items() if name != "etag"}
    return [without_etags(item) for item in body] if isinstance(body, list) else body


async def test_one_of_a_thousand_is_decided_about_as_any(fleet: Sandbox) -> None:
    connection = next(c for c in connections(fullest(fleet)) if status(c) == "Pending")
    body = {"properties": {"privateLinkServiceConnectionState": {"status": "Rejected", "description": "no"}}}

    response = await call(fleet, fleet.isv, "PUT", connection["id"], body)

    after = fleet.azure.store.get(connection["id"])
    endpoint = fleet.azure.store.get(connection["properties"]["privateEndpoint"]["id"])
    assert response.status == 200
    assert after is not None
    assert endpoint is not None
    assert (status(after), status(endpoint["properties"][MANUAL][0])) == ("Rejected", "Rejected")
    assert len(connections(fullest(fleet))) == 1000


async def test_an_endpoint_comes_and_goes_in_a_fleet_as_anywhere(fleet: Sandbox) -> None:
    present = fleet.azure.store.in_subscription(fleet.customer.subscription.id, ENDPOINT)
    subnet = present[0]["properties"]["subnet"]["id"]
    smallest = min(services(fleet), key=lambda service: len(connections(service)))
    new = f"{present[0]['id'].rpartition('/')[0]}/one-more"

    def wanting(service: Json) -> dict[str, Any]:
        request = {"name": "c", "properties": {"privateLinkServiceId": service["id"]}}
        return {"location": "westeurope", "properties": {"subnet": {"id": subnet}, MANUAL: [request]}}

    full = await call(fleet, fleet.customer, "PUT", new, wanting(fullest(fleet)))
    assert full.body["error"]["code"] == "PrivateEndpointConnectionCountLimitReached"
    assert (await call(fleet, fleet.customer, "PUT", new, wanting(smallest))).status == 201
    addresses = Counter(
        configuration["properties"]["privateIPAddress"]
        for nic in fleet.azure.store.in_subscription(
            fleet.customer.subscription.id, "Microsoft.Network/networkInterfaces"
        )
        for configuration in nic["properties"]["ipConfigurations"]
    )
    assert max(addresses.values()) == 1
    assert (await call(fleet, fleet.customer, "DELETE", new)).status == 202
    assert len(fleet.azure.store.in_subscription(fleet.customer.subscription.id, ENDPOINT)) == len(present)
