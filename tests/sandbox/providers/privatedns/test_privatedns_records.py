from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.providers.privatedns.dns import GLOBAL, ZONE, Dns, a


async def test_a_new_zone_has_its_authority_and_nothing_changes_its_serial_number() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    soa = await dns.get(f"{ZONE}/SOA/@")
    assert soa["properties"]["fqdn"] == "tradewinds.internal."
    record = {**soa["properties"]["soaRecord"], "email": "host.tradewinds.internal", "serialNumber": 5}
    changed = await dns.call("PUT", f"{ZONE}/SOA/@", {"properties": {"ttl": 60, "soaRecord": record}})
    assert changed.status == 200
    assert changed.body["properties"]["soaRecord"]["email"] == "host.tradewinds.internal"
    assert changed.body["properties"]["soaRecord"]["serialNumber"] == 1
    assert await dns.failure("DELETE", f"{ZONE}/SOA/@") == (400, "BadRequest")
    assert await dns.failure("PUT", f"{ZONE}/SOA/x", {"properties": {"ttl": 60, "soaRecord": record}}) == (
        400,
        "BadRequest",
    )


async def test_a_record_set_is_written_at_once_and_replaced_whole() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    path = f"{ZONE}/A/saas-pls"
    answer = await dns.call("GET", path)
    assert (answer.status, answer.body["code"]) == (404, "NotFound")
    assert "error" not in answer.body
    created = await dns.call("PUT", path, {"properties": {"ttl": 3600}}, headers={"if-none-match": "*"})
    assert created.status == 201
    assert created.headers["ETag"] == created.body["etag"]
    assert created.body["properties"] == {
        "fqdn": "saas-pls.tradewinds.internal.",
        "ttl": 3600,
        "aRecords": [],
        "isAutoRegistered": False,
    }
    await dns.call("PUT", path, {"properties": {**a("10.1.0.5")["properties"], "metadata": {"order": "314159"}}})
    assert (await dns.get(path))["properties"]["metadata"] == {"order": "314159"}
    replaced = await dns.call("PUT", path, a("10.1.0.6"))
    assert replaced.status == 200
    assert "metadata" not in replaced.body["properties"]
    assert (await dns.get(ZONE))["properties"]["numberOfRecordSets"] == 2

    gone = await dns.call("DELETE", path)
    assert (gone.status, gone.body) == (200, None)
    assert (await dns.call("DELETE", path)).status == 204
    assert (await dns.get(ZONE))["properties"]["numberOfRecordSets"] == 1


RECORDS: dict[str, dict[str, Any]] = {
    "AAAA": {"aaaaRecords": [{"ipv6Address": "::1"}]},
    "CNAME": {"cnameRecord": {"cname": "web.tradewinds.internal"}},
    "MX": {"mxRecords": [{"exchange": "mail.tradewinds.internal", "preference": 10}]},
    "PTR": {"ptrRecords": [{"ptrdname": "web.tradewinds.internal"}]},
    "SRV": {"srvRecords": [{"port": 443, "priority": 1, "target": "web.tradewinds.internal", "weight": 5}]},
    "TXT": {"txtRecords": [{"value": ["order", "314159"]}]},
}


async def test_record_sets_of_every_type_and_their_lists() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    for kind, records in RECORDS.items():
        body = {"properties": {"ttl": 60, **records}}
        assert (await dns.put(f"{ZONE}/{kind}/{kind.lower()}", body))["properties"].items() >= records.items()
    await dns.put(f"{ZONE}/A/@", a("10.1.0.5"))
    listed = (await dns.get(f"{ZONE}/ALL"))["value"]
    assert [record["type"].rpartition("/")[2] for record in listed] == ["SOA", *RECORDS, "A"]
    assert [record["name"] for record in (await dns.get(f"{ZONE}/a"))["value"]] == ["@"]
    suffixed = await dns.get(f"{ZONE}/ALL?$recordsetnamesuffix=x")
    assert [record["name"] for record in suffixed["value"]] == ["mx"]
    first = await dns.get(f"{ZONE}/ALL?$top=3")
    rest = await dns.get(f"{first['nextLink']}")
    assert [record["id"] for record in first["value"] + rest["value"]] == [record["id"] for record in listed[:6]]


@pytest.mark.parametrize(
    ("path", "properties"),
    [
        ("A/x", {"aRecords": []}),
        ("A/x", {"ttl": -1}),
        ("A/x", {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0"}]}),
        ("A/x", {"ttl": 60, "aRecords": [{"ipv4Address": "10.0.0.1"}, {"ipv4Address": "10.0.0.1"}]}),
        ("A/x", {"ttl": 60, "aRecords": [{"ipv4Address": f"10.0.0.{n}"} for n in range(1, 22)]}),
        ("A/x..y", {"ttl": 60}),
        ("AAAA/x", {"ttl": 60, "aaaaRecords": [{"ipv6Address": "10.0.0.1"}]}),
        ("CNAME/@", {"ttl": 60, "cnameRecord": {"cname": "x.y"}}),
        ("MX/x", {"ttl": 60, "mxRecords": [{"exchange": "x.y"}]}),
        ("SRV/x", {"ttl": 60, "srvRecords": [{"port": 99999, "priority": 1, "target": "x.y", "weight": 1}]}),
        ("TXT/x", {"ttl": 60, "txtRecords": [{"value": ["x" * 1025]}]}),
    ],
)
async def test_a_record_set_that_makes_no_sense_is_refused(path: str, properties: Any) -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    assert await dns.failure("PUT", f"{ZONE}/{path}", {"properties": properties}) == (400, "BadRequest")


async def test_a_record_set_need_not_be_kept_at_all() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)

    made = await dns.call("PUT", f"{ZONE}/A/now", a("10.0.0.9", ttl=0))

    assert (made.status, made.body["properties"]["ttl"]) == (201, 0)


async def test_an_alias_stands_alone_under_its_name() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    await dns.put(f"{ZONE}/A/www", a("10.1.0.5"))
    alias = {"properties": {"ttl": 60, "cnameRecord": {"cname": "x.y"}}}
    assert await dns.failure("PUT", f"{ZONE}/CNAME/www", alias) == (409, "Conflict")
    await dns.put(f"{ZONE}/CNAME/ftp", alias)
    assert await dns.failure("PUT", f"{ZONE}/A/ftp", a("10.1.0.5")) == (409, "Conflict")


async def test_a_record_set_is_patched_in_part() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    path = f"{ZONE}/A/www"
    assert await dns.failure("PATCH", path, {}) == (404, "NotFound")
    await dns.put(path, a("10.1.0.5"))
    patched = await dns.call("PATCH", path, {"properties": {"metadata": {"a": "b"}}})
    assert patched.status == 200
    assert patched.body["properties"]["aRecords"] == [{"ipv4Address": "10.1.0.5"}]
    assert patched.body["properties"]["metadata"] == {"a": "b"}
    patched = await dns.call("PATCH", path, {"properties": {"ttl": 5, "metadata": {}}})
    assert (patched.body["properties"]["ttl"], patched.body["properties"]["metadata"]) == (5, {})


async def test_conditions_of_record_sets_fail_at_once() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    path = f"{ZONE}/A/www"
    record = await dns.put(path, a("10.1.0.5"))
    taken = await dns.call("PUT", path, a("10.1.0.6"), headers={"if-none-match": "*"})
    assert taken.status == 412
    assert taken.body == {
        "code": "PreconditionFailed",
        "message": "The Record set www exists already and hence cannot be created again.",
    }
    for method in ("PUT", "PATCH", "DELETE"):
        stale = await dns.call(method, path, a("10.1.0.6"), headers={"if-match": "x"})
        assert (stale.status, stale.body["message"]) == (412, "The Record set www has been modified (etag mismatch).")
    assert (await dns.call("PUT", path, a("10.1.0.6"), headers={"if-match": record["etag"]})).status == 200
    assert (await dns.call("DELETE", path, headers={"if-match": "*"})).status == 200
