"""How the customer names the endpoint: in a private zone, in a public one that is there already, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plstui.domain.sides import Side
from plstui.lab.effort import StepFailedError
from tests.lab.rig import Rig, undone
from tests.support.served import serve

PUBLIC = {"kind": "public", "zone": "tradewinds.example", "group": "names"}
PUBLIC_DNS = "2018-05-01"
PAGES = {"Host: web1", "Host: web2", "Host: web3"}


async def pages(azure: Rig, address: str) -> set[str]:
    """What the customer's machine gets from an address or a name, over many connections."""
    fetch = f"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do curl -s http://{address}/; echo; done"
    output = await azure.sandbox.network.run_command(azure.body("testVM")["id"], fetch)
    return set(output.stdout.split("\n")) - {""}


def address_of(azure: Rig) -> str:
    """The endpoint's address, from its interface."""
    (reference,) = azure.body("saasPrivateEndpoint")["properties"]["networkInterfaces"]
    (nic,) = (body for body in azure.sandbox.azure.store if body["id"] == reference["id"])
    address: str = nic["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"]
    return address


async def test_a_private_zone_is_made_and_linked(empty: Rig) -> None:
    async with empty.session() as plstui:
        assert list(undone((await plstui.up()).statuses())) == []

    assert await pages(empty, "saas-pls.tradewinds.internal") == PAGES
    assert await pages(empty, address_of(empty)) == PAGES


async def test_the_record_of_a_public_zone_is_written_and_nothing_else_of_it(empty: Rig) -> None:
    customer = empty.account(Side.CUSTOMER)
    await customer.put_group("names")
    zone = customer.id_of("names", "Network/dnsZones/tradewinds.example")
    await customer.request("PUT", zone, PUBLIC_DNS, {"location": "global"})
    theirs = {"properties": {"TTL": 60, "ARecords": [{"ipv4Address": "10.9.9.9"}]}}
    await customer.request("PUT", f"{zone}/A/theirs", PUBLIC_DNS, theirs)
    async with empty.session(lab={"dns": PUBLIC}) as plstui:
        assert list(undone((await plstui.up()).statuses())) == []
        assert [what for what in empty.written if "DnsZones" in what or "dnsZones" in what] == [
            f"PUT {zone}/A/saas-pls"
        ]
        empty.written.clear()
        await plstui.up()
        assert empty.written == []

    record = empty.body("saas-pls")["properties"]
    assert (record["TTL"], record["ARecords"]) == (300, [{"ipv4Address": address_of(empty)}])
    assert await pages(empty, "saas-pls.tradewinds.example") == PAGES
    assert empty.body("theirs")["properties"]["ARecords"] == theirs["properties"]["ARecords"]


async def test_a_record_that_leads_elsewhere_is_led_to_the_endpoint(empty: Rig) -> None:
    customer = empty.account(Side.CUSTOMER)
    await customer.put_group("names")
    zone = customer.id_of("names", "Network/dnsZones/tradewinds.example")
    await customer.request("PUT", zone, PUBLIC_DNS, {"location": "global"})
    old: dict[str, Any] = {"properties": {"TTL": 60, "metadata": {"order": "1"}, "ARecords": []}}
    await customer.request("PUT", f"{zone}/A/saas-pls", PUBLIC_DNS, old)
    async with empty.session(lab={"dns": PUBLIC}) as plstui:
        assert list(undone((await plstui.up()).statuses())) == []

    record = empty.body("saas-pls")["properties"]
    assert record["ARecords"] == [{"ipv4Address": address_of(empty)}]
    assert (record["TTL"], record["metadata"]) == (60, {"order": "1"})


async def test_a_public_zone_that_is_not_there_is_not_made(empty: Rig) -> None:
    async with empty.session(lab={"dns": PUBLIC}) as plstui:
        with pytest.raises(StepFailedError, match=r"^Step 15, A name for it: .*names"):
            await plstui.up()

    assert not [body for body in empty.sandbox.azure.store if body["type"].lower().startswith("microsoft.network/dns")]


async def test_the_address_alone_does_without_any_zone(empty: Rig) -> None:
    async with empty.session(lab={"dns": {"kind": "none"}}) as plstui:
        assert list(undone((await plstui.up()).statuses())) == []

    assert not [what for what in empty.written if "dnszones" in what.lower()]
    assert await pages(empty, address_of(empty)) == PAGES


def test_the_page_opens_by_its_public_name_from_the_command_line(tmp_path: Path) -> None:
    with serve(tmp_path, "empty") as served:
        group = f"/subscriptions/{served.ready['subscriptions']['customer']}/resourceGroups/names"
        zone = f"{group}/providers/Microsoft.Network/dnsZones/tradewinds.example"
        served.arm("customer", "PUT", group, {"location": "westeurope"})
        served.arm("customer", "PUT", zone, {"location": "global"}, PUBLIC_DNS)
        section = "\n[lab.dns]\n" + "".join(f'{key} = "{value}"\n' for key, value in PUBLIC.items())
        served.config.write_text(served.config.read_text() + section)
        run = served.plstui("lab", "up", "--approve", "--probe", "--json")

    assert run.exit_code == 0, run.stderr
    assert {step["state"] for step in run.json["steps"]} == {"done"}
    (name,) = (target for target in run.json["probe"]["targets"] if target["kind"] == "name")
    assert (name["name"], name["ok"]) == ("saas-pls.tradewinds.example", True)
    assert set(name["hosts"]) == {"web1", "web2", "web3"}
