"""Public zones of Azure DNS, in the spelling of their swagger."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.providers import dns
from tests.sandbox.support import CUSTOMER, Principal, sandbox

VERSION = "2018-05-01"
GROUP = f"/subscriptions/{CUSTOMER.id}/resourceGroups/names"
ZONE = f"{GROUP}/providers/Microsoft.Network/dnsZones/tradewinds.example"
RECORD = f"{ZONE}/A/saas-pls"
GLOBAL = {"location": "global"}


class Dns:
    """The customer with a group, and with the api-version of Azure DNS on every request."""

    def __init__(self, latency: Latency = Latency.NONE) -> None:
        self.azure = Azure(latency=latency)
        self.principal: Principal = sandbox(dns.endpoints(self.azure), azure=self.azure).customer

    async def start(self) -> Dns:
        await self.principal.call("PUT", GROUP, {"location": "westeurope"})
        await self.call("PUT", ZONE, GLOBAL)
        return self

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        return await self.principal.call(method, path, body, api_version=VERSION, **more)

    async def get(self, path: str) -> Any:
        return await self.principal.get(path, api_version=VERSION)


def a(*addresses: str, ttl: int = 300) -> dict[str, Any]:
    return {"properties": {"TTL": ttl, "ARecords": [{"ipv4Address": address} for address in addresses]}}


async def test_a_zone_is_there_at_once_with_its_authority_and_its_name_servers() -> None:
    azure_dns = await Dns().start()
    zone = await azure_dns.get(ZONE)
    assert zone["properties"]["numberOfRecordSets"] == 2
    assert zone["properties"]["zoneType"] == "Public"
    servers = (await azure_dns.get(f"{ZONE}/NS/@"))["properties"]
    assert [server["nsdname"] for server in servers["NSRecords"]] == zone["properties"]["nameServers"]
    authority = (await azure_dns.get(f"{ZONE}/SOA/@"))["properties"]
    assert authority["fqdn"] == "tradewinds.example."
    assert authority["SOARecord"]["minimumTTL"] == 300
    again = await azure_dns.call("PUT", ZONE, {**GLOBAL, "tags": {"order": "314159"}})
    assert (again.status, again.body["tags"]) == (200, {"order": "314159"})
    listed = await azure_dns.get(f"{ZONE}/recordsets")
    assert {record["type"].rpartition("/")[2] for record in listed["value"]} == {"NS", "SOA"}


async def test_a_record_set_is_written_at_once_and_replaced_whole() -> None:
    azure_dns = await Dns().start()
    missing = await azure_dns.call("GET", RECORD)
    assert (missing.status, missing.body["code"]) == (404, "NotFound")
    created = await azure_dns.call("PUT", RECORD, a("10.1.0.5"))
    assert created.status == 201
    assert created.headers["ETag"] == created.body["etag"]
    assert created.body["properties"] == {
        "fqdn": "saas-pls.tradewinds.example.",
        "TTL": 300,
        "ARecords": [{"ipv4Address": "10.1.0.5"}],
        "targetResource": {},
        "provisioningState": "Succeeded",
    }
    assert (await azure_dns.get(ZONE))["properties"]["numberOfRecordSets"] == 3
    replaced = await azure_dns.call("PUT", RECORD, a("10.1.0.6", ttl=60))
    assert (replaced.status, replaced.body["properties"]["TTL"]) == (200, 60)
    patched = await azure_dns.call("PATCH", RECORD, {"properties": {"metadata": {"order": "314159"}}})
    assert patched.body["properties"]["ARecords"] == [{"ipv4Address": "10.1.0.6"}]
    assert (await azure_dns.call("DELETE", RECORD)).status == 200
    assert (await azure_dns.call("DELETE", RECORD)).status == 204
    assert (await azure_dns.get(ZONE))["properties"]["numberOfRecordSets"] == 2


async def test_conditions_are_honoured() -> None:
    azure_dns = await Dns().start()
    etag = (await azure_dns.call("PUT", RECORD, a("10.1.0.5"))).body["etag"]
    for headers in ({"if-none-match": "*"}, {"if-match": "another"}):
        refused = await azure_dns.call("PUT", RECORD, a("10.1.0.6"), headers=headers)
        assert (refused.status, refused.body["code"]) == (412, "PreconditionFailed")
    assert (await azure_dns.call("PUT", RECORD, a("10.1.0.6"), headers={"if-match": etag})).status == 200
    assert (await azure_dns.call("PUT", ZONE, GLOBAL, headers={"if-none-match": "*"})).status == 412


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RECORD, {"properties": {"ARecords": []}}),
        (RECORD, a("10.1.0.5", ttl=-1)),
        (RECORD, a("10.1.0.5", "10.1.0.5")),
        (RECORD, a("no address")),
        (f"{ZONE}/A/not a name", a("10.1.0.5")),
        (f"{ZONE}/SOA/elsewhere", {"properties": {"TTL": 60}}),
        (f"{ZONE}/NS/shop", {"properties": {"TTL": 60, "NSRecords": [{"nsdname": ""}]}}),
        (ZONE.replace("tradewinds.example", "tradewinds"), GLOBAL),
        (ZONE, {**GLOBAL, "properties": {"zoneType": "Private"}}),
    ],
)
async def test_what_azure_would_not_take_is_refused(path: str, body: dict[str, Any]) -> None:
    azure_dns = await Dns().start()
    refused = await azure_dns.call("PUT", path, body)
    assert (refused.status, refused.body["code"]) == (400, "BadRequest")


async def test_what_belongs_to_a_zone_goes_with_it_and_no_sooner() -> None:
    azure_dns = await Dns(Latency.AZURE).start()
    await azure_dns.call("PUT", RECORD, a("10.1.0.5"))
    assert (await azure_dns.call("DELETE", f"{ZONE}/NS/@")).status == 400
    accepted = await azure_dns.call("DELETE", ZONE)
    assert accepted.status == 202
    assert "/dnsOperationStatuses/" in accepted.headers["Azure-AsyncOperation"]
    assert (await azure_dns.call("GET", RECORD)).status == 200
    assert (await azure_dns.principal.end_of(accepted)).body == {"status": "Succeeded"}
    assert (await azure_dns.call("GET", ZONE)).status == 404
    orphan = await azure_dns.call("PUT", RECORD, a("10.1.0.5"))
    assert (orphan.status, orphan.body["error"]["code"]) == (404, "ParentResourceNotFound")
    assert (await azure_dns.call("DELETE", ZONE)).status == 204


NAMES = ("properties", "TTL", "metadata", "ARecords", "ipv4Address", "NSRecords", "nsdname", "SOARecord", "minimumTTL")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
PATHS = [ZONE, *(f"{ZONE}/{kind}/{name}" for kind in ("A", "NS", "SOA") for name in ("@", "x"))]
LISTS = [f"{ZONE}/A", f"{ZONE}/all", f"{ZONE}/recordsets", f"{ZONE}/all/x", ZONE.rpartition("/")[0]]


@settings(max_examples=150)
@given(
    method=st.sampled_from(["PUT", "PATCH", "DELETE", "GET", "POST"]),
    path=st.sampled_from([*PATHS, *LISTS]),
    body=st.fixed_dictionaries({"location": st.just("global"), "properties": ANYTHING}) | ANYTHING,
    headers=st.dictionaries(st.sampled_from(["if-match", "if-none-match"]), st.text(max_size=4), max_size=2),
    query=st.sampled_from(["", "?$top=0", "?$top=x", "?$skiptoken=99999999999", "?$recordsetnamesuffix=@"]),
)
async def test_nothing_that_is_sent_breaks_it(method: str, path: str, body: Any, headers: Any, query: str) -> None:
    azure_dns = await Dns().start()
    await azure_dns.call("PUT", RECORD, a("10.1.0.5"))
    assert (await azure_dns.call(method, path + query, body, headers=headers)).status < 500
    await azure_dns.azure.operations.settle()
    store = azure_dns.azure.store
    zone = store.get(ZONE)
    if zone is not None:
        records = sum(str(item["id"]).startswith(f"{ZONE}/") for item in store)
        assert zone["properties"]["numberOfRecordSets"] == records
