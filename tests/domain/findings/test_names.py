"""Names that lead to the endpoint, and those that do not."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from tests.domain.findings.ward import Ward


async def point(ward: Ward, address: str, **metadata: str) -> None:
    """Let the record lead somewhere."""
    properties: dict[str, Any] = {"ttl": 300, "aRecords": [{"ipv4Address": address}], "metadata": metadata}
    await ward.put(ward.consumer.record, {"properties": properties})


async def test_no_name(approved: Ward) -> None:
    await approved.delete(approved.consumer.record)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("name-missing", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.consumer.zone, "step:record")
    assert "--zone-name tradewinds.internal" in finding.az
    assert await approved.silent()
    assert await approved.mend() == ["name-missing"]
    assert await approved.comes()


async def test_a_name_that_leads_elsewhere(approved: Ward) -> None:
    await point(approved, "10.1.0.200")

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("name-elsewhere", Severity.ERROR)
    # Who has written it is not known: the lab leaves it alone.
    assert (finding.where, finding.fix) == (approved.consumer.record, "")
    assert finding.evidence["aRecords.ipv4Address"] == "10.1.0.200"
    assert "remove-record" in finding.az
    assert await approved.silent()
    await point(approved, finding.evidence["endpoint"])
    assert healthy(await approved.findings())
    assert await approved.comes()


@pytest.mark.parametrize("address", ["10.1.0.200", "10.1.0.4", "8.8.8.8"], ids=["nobody", "another machine", "far"])
async def test_the_labs_own_name_that_leads_elsewhere(approved: Ward, address: str) -> None:
    await point(approved, address, **{"created-by": "plstui"})

    finding = await approved.first()

    assert (finding.rule, finding.fix) == ("name-elsewhere", "step:record")
    assert await approved.mend() == ["name-elsewhere"]
    assert await approved.comes()


@pytest.mark.parametrize("address", ["10.1.0.4", "8.8.8.8"], ids=["another machine", "far"])
async def test_the_only_name_in_a_zone_may_be_that_of_something_else(approved: Ward, address: str) -> None:
    await approved.delete(approved.consumer.record)
    db = approved.consumer.zone.child("A", "db")
    await approved.put(db, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": address}]}})

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.fix) == ("name-missing", Severity.WARNING, "step:record")
    assert "--record-set-name saas-pls " in finding.az


async def test_a_name_that_something_else_has_is_not_given_to_the_endpoint(approved: Ward) -> None:
    await point(approved, "8.8.8.8")

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.fix) == ("name-missing", Severity.WARNING, "")
    assert f"--record-set-name {approved.consumer.endpoint.name} " in finding.az


async def test_two_names_that_lead_to_nobody_and_one_endpoint_that_may_be_meant(approved: Ward) -> None:
    await point(approved, "10.1.0.200")
    other = approved.consumer.zone.child("A", "other")
    await approved.put(other, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.201"}]}})

    rules = [finding.rule for finding in await approved.findings()]

    assert rules.count("name-elsewhere") == 1
    assert "name-missing" not in rules


async def test_a_second_endpoint_without_a_name_does_not_make_the_firsts_name_wrong(approved: Ward) -> None:
    first = await approved.get(approved.consumer.endpoint)
    second = ResourceId(f"{approved.consumer.endpoint.text.rpartition('/')[0]}/secondPE")
    properties = {name: first["properties"][name] for name in ("subnet", "manualPrivateLinkServiceConnections")}
    for request in properties["manualPrivateLinkServiceConnections"]:
        request["properties"].pop("privateLinkServiceConnectionState", None)
    await approved.put(second, {"location": first["location"], "properties": properties})
    connections = (await approved.get(approved.provider.service))["properties"]["privateEndpointConnections"]
    (connection,) = (one for one in connections if one["name"].startswith("secondPE"))
    connection["properties"]["privateLinkServiceConnectionState"]["status"] = "Approved"
    await approved.put(ResourceId(connection["id"]), connection)

    findings = await approved.findings()

    assert healthy(findings)
    (missing,) = (finding for finding in findings if finding.rule.startswith("name-"))
    assert (missing.rule, missing.severity) == ("name-missing", Severity.INFO)
    assert missing.what.startswith("No name leads to secondPE;")
    # The name that works is left alone.
    assert (missing.fix, "saas-pls" in missing.az) == ("", False)
    assert await approved.comes()


async def test_names_of_other_things_are_nobodys_mistake(approved: Ward) -> None:
    printer = approved.consumer.zone.child("A", "printer")
    await approved.put(printer, {"properties": {"ttl": 60, "aRecords": [{"ipv4Address": "10.1.0.200"}]}})

    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_the_zone_is_not_linked_to_the_network(approved: Ward) -> None:
    await approved.delete(approved.consumer.zone_link)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("zone-not-linked", Severity.ERROR)
    assert (finding.where, finding.fix) == (approved.consumer.zone, "step:customer-network")
    assert f"--virtual-network {approved.consumer.network}" in finding.az
    assert await approved.silent()
    assert await approved.mend() == ["zone-not-linked"]
    assert await approved.comes()


async def test_without_a_zone_of_ones_own_the_address_must_do(approved: Ward) -> None:
    await approved.delete(approved.consumer.record, approved.consumer.zone_link, approved.consumer.zone)

    assert healthy(await approved.findings())
    others = ResourceId(approved.consumer.zone.text.replace("tradewinds.internal", "privatelink.blob.core.windows.net"))
    await approved.put(others, {"location": "global", "properties": {}})
    assert healthy(await approved.findings())
