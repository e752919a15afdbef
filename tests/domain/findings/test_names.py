"""Names that lead to the endpoint, and those that do not."""

from __future__ import annotations

from typing import Any

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from tests.domain.findings.ward import Ward


async def point(ward: Ward, address: str) -> None:
    """Let the record lead somewhere."""
    record: dict[str, Any] = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": address}]}}
    await ward.put(ward.consumer.record, record)


async def test_no_name(approved: Ward) -> None:
    await approved.delete(approved.consumer.record)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("name-missing", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.consumer.zone, "step:record")
    assert "--zone-name tradewinds.internal" in finding.az
    assert await approved.silent()
    assert await approved.mend() == ["name-missing"]
    assert await approved.comes()


async def test_a_name_that_leads_to_nobody(approved: Ward) -> None:
    await point(approved, "10.1.0.200")

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("name-elsewhere", Severity.ERROR)
    assert (finding.where, finding.fix) == (approved.consumer.record, "step:record")
    assert finding.evidence["aRecords.ipv4Address"] == "10.1.0.200"
    assert await approved.silent()
    assert await approved.mend() == ["name-elsewhere"]
    assert await approved.comes()


async def test_a_name_that_leads_to_another_machine(approved: Ward) -> None:
    await point(approved, "10.1.0.4")

    finding = await approved.first()

    assert (finding.rule, finding.evidence["aRecords.ipv4Address"]) == ("name-elsewhere", "10.1.0.4")
    assert await approved.mend() == ["name-elsewhere"]
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
