"""The one road: pages that end, tokens that go nowhere else, and no management SDK until something is written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from plstui.arm.road import Road
from plstui.config.settings import Settings
from plstui.domain.errors import AzureError
from plstui.domain.sides import Side
from tests.arm.server import NETWORK, Answer, ArmServer

LIST = f"{NETWORK}/privateLinkServices"
KIND = "Microsoft.Network/privateLinkServices"


async def pages(settings: Settings) -> list[object]:
    road = Road(settings, Side.ISV)
    try:
        return [item async for items in road.pages(LIST, KIND) for item in items]
    finally:
        await road.close()


async def test_a_page_s_address_may_be_whole_or_a_path(azure: ArmServer, settings: Settings) -> None:
    azure.on(
        "GET",
        LIST,
        Answer({"value": [1], "nextLink": f"{LIST}?page=2"}),
        Answer({"value": [], "nextLink": f"{azure.arm}{LIST}?page=3"}),
        Answer({"value": [3], "nextLink": None}),
    )

    assert await pages(settings) == [1, 3]
    assert [seen.query.get("page") for seen in azure.requests("GET")] == [None, "2", "3"]


@pytest.mark.parametrize("back", ["itself", "the first"])
async def test_pages_that_lead_back(azure: ArmServer, settings: Settings, back: str) -> None:
    second = f"{azure.arm}{LIST}?page=2"
    first = f"{azure.arm}{LIST}?api-version=2024-05-01"
    azure.on(
        "GET",
        LIST,
        Answer({"value": [], "nextLink": second}),
        Answer({"value": [], "nextLink": second if back == "itself" else first}),
    )

    with pytest.raises(AzureError, match="lead back to each other"):
        await pages(settings)

    assert len(azure.requests("GET")) == 2


@pytest.mark.parametrize("host", ["https://management.example", "https://127.0.0.1:1", "http://127.0.0.1"])
async def test_no_token_goes_where_a_page_leads_away(azure: ArmServer, settings: Settings, host: str) -> None:
    azure.on("GET", LIST, Answer({"value": [], "nextLink": f"{host}{LIST}?page=2"}))

    with pytest.raises(AzureError, match=f"it leads to {host}, where nothing was sent"):
        await pages(settings)


async def test_a_path_with_another_host_s_name_leads_nowhere(azure: ArmServer, settings: Settings) -> None:
    azure.on("GET", LIST, Answer({"value": [], "nextLink": "//elsewhere.example/x"}))

    with pytest.raises(AzureError, match=r"it leads to https://elsewhere\.example, where nothing was sent"):
        await pages(settings)


async def test_what_writes_shares_the_pipeline_and_is_made_once(settings: Settings) -> None:
    road = Road(settings, Side.ISV)

    clients = await road.clients()

    assert await road.clients() is clients
    assert clients.network._client._pipeline is clients.resources._client._pipeline is road._pipeline
    await road.close()


def test_what_reads_does_without_the_management_sdk_and_azure_identity() -> None:
    script = (
        "import json, sys, plstui.arm.side, plstui.compose;"
        "print(json.dumps([name for name in sys.modules if name.startswith(('azure.mgmt', 'azure.identity', 'msal'))]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(done.stdout) == []
