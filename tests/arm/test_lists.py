"""LISTs read as JSON say what the SDK's models said, and cost nothing where nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from azure.mgmt.network import models as network

from plstui.arm import mapping
from plstui.arm.fields import every
from plstui.arm.lists import ResourceList
from plstui.arm.road import Road
from plstui.arm.side import ArmSide
from plstui.arm.versions import NETWORK_API
from plstui.config.settings import Settings
from plstui.domain.errors import AzureError, CredentialsError, NotFoundError, ThrottledError
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Reading, Tier
from tests.arm.server import LISTS, SUBSCRIPTION, Answer, ArmServer

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
SERVICES = f"{GROUP}/providers/Microsoft.Network/privateLinkServices"
ENDPOINTS = f"{GROUP}/providers/Microsoft.Network/privateEndpoints"


def connection(service: str, name: str, status: Any = "Pending") -> dict[str, Any]:
    state = {"status": status, "description": "Bitte prüfen: [b]x[/b]", "actionsRequired": "None"}
    return {
        "id": f"{SERVICES}/{service}/privateEndpointConnections/{name}",
        "name": name,
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpoint": {"id": f"{ENDPOINTS}/{name}"},
            "privateLinkServiceConnectionState": state,
            "linkIdentifier": "520125339",
        },
    }


def service(name: str, *connections: Any, **properties: Any) -> dict[str, Any]:
    own = {"provisioningState": "Succeeded", "alias": f"{name}.x", "privateEndpointConnections": list(connections)}
    return {"id": f"{SERVICES}/{name}", "name": name, "location": "westeurope", "properties": {**own, **properties}}


def endpoint(name: str, **properties: Any) -> dict[str, Any]:
    request = {
        "id": f"{ENDPOINTS}/{name}/manualPrivateLinkServiceConnections/to",
        "properties": {"privateLinkServiceId": f"{SERVICES}/pls", "requestMessage": "Order no.: 314159"},
    }
    own = {"resourceGuid": "e7c0", "manualPrivateLinkServiceConnections": [request]}
    return {"id": f"{ENDPOINTS}/{name}", "name": name, "properties": {**own, **properties}}


HOSTILE: list[Any] = [None, True, 7, 2.5, "", "x" * 2000, "/subscriptions/s", [], [None, 7, []], {}, {"id": None}]
"""Values that stand where something else is expected."""

SAMPLES: list[tuple[Callable[[Any], Any], Callable[[Any], Any], dict[str, Any]]] = [
    (network.PrivateLinkService, mapping.service, service("pls", connection("pls", "pe"), connection("pls", "odd", 7))),
    (network.PrivateEndpoint, mapping.endpoint, endpoint("pe", networkInterfaces=[{"id": f"{GROUP}/x"}])),
    (network.PrivateEndpoint, mapping.endpoint, endpoint("pe", subnet={"id": f"{GROUP}/x"}, networkInterfaces=None)),
    *(
        (network.PrivateLinkService, mapping.service, service("pls", connection("pls", "pe"), **{key: value}))
        for key in ("alias", "enableProxyProtocol", "provisioningState", "privateEndpointConnections")
        for value in HOSTILE
    ),
    *(
        (network.PrivateLinkService, mapping.service, service("pls", {**connection("pls", "pe"), key: value}))
        for key in ("id", "name", "properties")
        for value in HOSTILE
    ),
    *(
        (network.PrivateEndpoint, mapping.endpoint, endpoint("pe", **{key: value}))
        for key in ("resourceGuid", "manualPrivateLinkServiceConnections", "networkInterfaces", "subnet")
        for value in HOSTILE
    ),
]


@pytest.mark.parametrize(("model", "convert", "document"), SAMPLES)
def test_json_says_what_the_sdks_model_of_it_says(
    model: Callable[[Any], Any], convert: Callable[[Any], Any], document: dict[str, Any]
) -> None:
    fact = convert(document)

    assert fact is not None
    assert fact == convert(model(document))


async def test_a_list_is_what_the_sdk_lists(azure: ArmServer, settings: Settings) -> None:
    following = f"{azure.arm}{LISTS['services']}?api-version=2024-05-01&$skiptoken=a%2Bb"
    pages = [
        Answer({"value": [service("one", connection("one", "pe"))], "nextLink": following}),
        Answer({"value": [service("two"), service("three", {})], "nextLink": ""}),
    ]
    azure.on("GET", LISTS["services"], *pages, *pages)
    road = Road(settings, Side.ISV)
    clients = await road.clients()
    models = clients.network.private_link_services.list_by_subscription(api_version=NETWORK_API)

    by_sdk = every(mapping.service, [model async for model in models])
    ours = await ResourceList(road, f"providers/{Kind.SERVICES}", mapping.service, Kind.SERVICES).read()
    await road.close()

    assert ours == by_sdk
    assert [found.name for found in ours] == ["one", "two", "three"]
    sdks_first, sdks_second, our_first, our_second = azure.requests("GET")
    assert (our_first.target, our_second.target) == (sdks_first.target, sdks_second.target)
    assert our_first.authorization == sdks_first.authorization


async def read(azure: ArmServer, side: ArmSide, *answers: Answer) -> Reading:
    azure.everything_empty()
    azure.on("GET", LISTS["services"], *answers)
    return await side.reader.read(Tier.CONNECTIONS)


async def test_what_reads_as_before_is_the_same_fact(azure: ArmServer, side: ArmSide) -> None:
    quiet, busy = service("quiet", connection("quiet", "pe")), service("busy", connection("busy", "pe"))
    decided = service("busy", connection("busy", "pe", "Approved"))

    first = await read(azure, side, Answer({"value": [quiet, busy]}))
    second = await read(azure, side, Answer({"value": [quiet, decided]}))

    assert first.resources[Kind.SERVICES]
    assert second.resources[Kind.SERVICES]
    assert second.resources[Kind.SERVICES][0] is first.resources[Kind.SERVICES][0]
    assert [
        found.connections[0].status.word
        for found in (first.resources[Kind.SERVICES][1], second.resources[Kind.SERVICES][1])
    ] == [
        "Pending",
        "Approved",
    ]


async def test_what_is_gone_is_gone_and_may_come_back(azure: ArmServer, side: ArmSide) -> None:
    listed = Answer({"value": [service("pls")]})

    names = [
        [found.name for found in (await read(azure, side, answer)).resources[Kind.SERVICES]]
        for answer in (listed, Answer({"value": []}), listed)
    ]

    assert names == [["pls"], [], ["pls"]]


async def test_items_that_make_no_sense_are_left_out(azure: ArmServer, side: ArmSide) -> None:
    odd: list[Any] = [None, 7, "text", [], {}, {"id": 7}, {"id": "no id"}, {"id": {"id": {}}}]

    reading = await read(azure, side, Answer({"value": [*odd, service("pls"), service("pls")]}))

    assert [found.name for found in reading.resources[Kind.SERVICES]] == ["pls", "pls"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        7,
        None,
        {"value": None},
        {"value": {"id": "x"}},
        {"value": "x"},
        {"value": [], "nextLink": 7},
        {"value": [], "nextLink": {"href": "x"}},
        "<html>Not JSON</html>",
    ],
)
async def test_an_answer_that_is_no_list_is_an_error_and_not_an_empty_side(
    azure: ArmServer, side: ArmSide, body: Any
) -> None:
    failure = (await read(azure, side, Answer(body))).failures[Kind.SERVICES]

    assert failure.code == "UnreadableAnswer"


async def test_pages_that_lead_back_to_each_other_come_to_an_end(azure: ArmServer, side: ArmSide) -> None:
    again = f"{azure.arm}{LISTS['services']}?again"

    reading = await read(azure, side, Answer({"value": [service("pls")], "nextLink": again}))

    assert "lead back" in reading.failures[Kind.SERVICES].message
    assert len(azure.requests("GET", "privateLinkServices")) == 2


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, AzureError), (404, NotFoundError), (429, ThrottledError), (500, AzureError)],
)
async def test_refusals_of_a_page_are_told_in_azures_words(
    azure: ArmServer, side: ArmSide, status: int, error: type[AzureError]
) -> None:
    refusal = Answer({"error": {"code": "SomeCode", "message": "Azure's own words."}}, status)
    following = f"{azure.arm}{LISTS['services']}?second"

    failure = (await read(azure, side, Answer({"value": [], "nextLink": following}), refusal)).failures[Kind.SERVICES]

    assert type(failure) is error
    assert "Azure's own words." in failure.message
    assert failure.code == "SomeCode"


async def test_a_sign_in_that_is_not_accepted_is_of_the_whole_side(azure: ArmServer, side: ArmSide) -> None:
    refusal = Answer({"error": {"code": "SomeCode", "message": "Azure's own words."}}, 401)

    with pytest.raises(CredentialsError, match=r"Azure's own words\."):
        await read(azure, side, refusal)
