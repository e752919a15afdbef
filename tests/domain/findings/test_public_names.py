"""Names in a public zone, and networks that ask name servers of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.lab.session import subscriptions
from plstui.lab.steps import workshop
from plstui.sandbox.gateway.messages import Request, Response
from tests.domain.findings.ward import Ward, ward

FORBIDDEN = Response(403, {"error": {"code": "AuthorizationFailed", "message": "The client may not do that."}})


@pytest.fixture
async def public(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab with its name in a public zone, which is there before the lab is."""
    async with ward(tmp_path, monkeypatch) as made:
        private = made.consumer
        await made.delete(private.record, private.zone_link, private.zone)
        dns = msgspec.structs.replace(
            made.runtime.lab.dns, kind="public", zone="tradewinds.example", group=private.group.name
        )
        lab = msgspec.structs.replace(made.runtime.lab, dns=dns)
        made.lab = workshop(lab, subscriptions(made.runtime), made.lab.choices)
        await made.put(made.consumer.zone, {"location": "global", "properties": {}})
        await made.up("record")
        yield made


async def point(ward: Ward, address: str) -> None:
    """Let the record lead somewhere, as somebody who is not the lab."""
    await ward.put(ward.consumer.record, {"properties": {"TTL": 300, "ARecords": [{"ipv4Address": address}]}})


async def test_a_name_in_a_public_zone_is_a_name(public: Ward) -> None:
    assert [finding.rule for finding in await public.findings(probe=True)] == ["idle-timeout"]
    assert await public.comes()


async def test_no_name_in_a_public_zone(public: Ward) -> None:
    await public.delete(public.consumer.record)

    finding = await public.first()

    assert (finding.rule, finding.severity) == ("name-missing", Severity.WARNING)
    assert (finding.where, finding.fix) == (public.consumer.zone, "step:record")
    assert finding.az.startswith("az network dns record-set a add-record ")
    assert "--zone-name tradewinds.example --record-set-name saas-pls " in finding.az
    assert finding.evidence == {"ARecords": "none with the endpoint's address"}
    assert await public.silent()
    assert await public.mend() == ["name-missing"]
    assert await public.comes()


async def test_a_public_name_that_leads_elsewhere(public: Ward) -> None:
    await point(public, "10.1.0.200")

    finding = await public.first()

    assert (finding.rule, finding.severity) == ("name-elsewhere", Severity.ERROR)
    assert (finding.where, finding.evidence["ARecords.ipv4Address"]) == (public.consumer.record, "10.1.0.200")
    assert "az network dns record-set a remove-record" in finding.az
    assert await public.silent()
    await point(public, finding.evidence["endpoint"])
    assert healthy(await public.findings())
    assert await public.comes()


async def test_a_name_that_something_else_has_in_a_public_zone_is_not_given_to_the_endpoint(public: Ward) -> None:
    await point(public, "8.8.8.8")

    finding = await public.first()

    # A zone that leads elsewhere may be for other things: nothing is wrong with that.
    assert (finding.rule, finding.severity, finding.fix) == ("name-missing", Severity.INFO, "")
    assert f"--record-set-name {public.consumer.endpoint.name} " in finding.az


async def test_who_may_not_read_public_zones_is_told_so_and_nothing_else(public: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        return FORBIDDEN if request.path.lower().endswith("/dnszones") else None

    public.meddle = meddle

    findings = await public.findings()

    assert [finding.rule for finding in findings if finding.severity is not Severity.INFO] == ["not-looked-at"]
    assert findings[0].evidence == {"types": Kind.PUBLIC_ZONES.value}


async def test_public_zones_are_read_only_where_no_private_one_has_the_name(approved: Ward) -> None:
    asked: Counter[str] = Counter()

    async def count(request: Request) -> None:
        asked[request.path.lower().partition("/microsoft.network/")[2].partition("/")[0]] += 1

    approved.meddle = count
    assert healthy(await approved.findings())
    assert asked["dnszones"] == 0

    await approved.delete(approved.consumer.record)
    asked.clear()
    assert (await approved.first()).where == approved.consumer.zone
    assert asked["dnszones"] == 1


async def test_beside_a_private_zone_a_public_one_is_not_where_a_name_is_missing(approved: Ward) -> None:
    other = ResourceId(f"{approved.consumer.group}/providers/Microsoft.Network/dnsZones/tradewinds.example")
    await approved.put(other, {"location": "global", "properties": {}})
    assert healthy(await approved.findings())

    await approved.delete(approved.consumer.record)
    assert (await approved.first()).where == approved.consumer.zone


async def test_a_private_zone_hides_the_public_one_of_the_same_name(approved: Ward) -> None:
    record, zone = approved.consumer.record, approved.consumer.zone
    [address] = (await approved.get(record))["properties"]["aRecords"]
    public = ResourceId(f"{approved.consumer.group}/providers/Microsoft.Network/dnsZones/{zone.name}")
    await approved.put(public, {"location": "global", "properties": {}})
    await approved.put(public.child("A", record.name), {"properties": {"TTL": 300, "ARecords": [address]}})
    await approved.delete(record)

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("name-missing", Severity.WARNING, zone)
    assert await approved.silent()
    assert await approved.mend() == ["name-missing"]
    assert await approved.comes()


# Name servers of one's own


async def ask(ward: Ward, *servers: str) -> None:
    """Let the customer's network ask these servers for names."""
    async with ward.changing(ward.consumer.network) as network:
        network["properties"]["dhcpOptions"] = {"dnsServers": list(servers)}


async def test_a_network_with_servers_of_its_own_may_not_know_the_private_name(approved: Ward) -> None:
    await ask(approved, "10.1.0.250", "168.63.129.16")

    findings = await approved.findings()

    assert healthy(findings), "they may forward"
    (finding,) = (finding for finding in findings if finding.rule == "dns-servers")
    assert (finding.severity, finding.where) == (Severity.INFO, approved.consumer.network)
    assert finding.evidence == {"dhcpOptions.dnsServers": "10.1.0.250"}
    assert "forward tradewinds.internal to 168.63.129.16" in finding.remedy
    # What it may mean is what a probe finds, which is then the first cause.
    assert await approved.silent()
    assert (await approved.first(probe=True)).rule == "page-not-through"
    await ask(approved)
    assert "dns-servers" not in {finding.rule for finding in await approved.findings()}
    assert await approved.comes()


async def test_a_network_that_names_azures_own_server_asks_azure(approved: Ward) -> None:
    await ask(approved, "168.63.129.16")

    assert "dns-servers" not in {finding.rule for finding in await approved.findings()}
    assert await approved.comes()


async def test_a_public_name_is_known_to_any_server(public: Ward) -> None:
    await ask(public, "10.1.0.250")

    assert "dns-servers" not in {finding.rule for finding in await public.findings()}


async def test_servers_of_ones_own_may_forward_from_the_network_that_the_zone_is_linked_to(approved: Ward) -> None:
    hub = ResourceId(f"{approved.consumer.group}/providers/Microsoft.Network/virtualNetworks/hub")
    space = {"addressSpace": {"addressPrefixes": ["10.9.0.0/16"]}}
    await approved.put(hub, {"location": "westeurope", "properties": space})
    link = {"registrationEnabled": False, "virtualNetwork": {"id": hub.text}}
    await approved.put(
        approved.consumer.zone.child("virtualNetworkLinks", "hub"), {"location": "global", "properties": link}
    )
    await approved.delete(approved.consumer.zone_link)
    assert (await approved.first()).rule == "zone-not-linked"
    await ask(approved, "10.9.0.4")

    findings = await approved.findings()

    assert healthy(findings), "a link to the endpoint's own network would change nothing"
    assert "dns-servers" in {finding.rule for finding in findings}
