from __future__ import annotations

from typing import Any

import pytest

from plstui.domain.ids import ResourceId
from plstui.sandbox.latency import Latency
from tests.sandbox.providers.privatedns.dns import GLOBAL, GROUP, LINK, NETWORK, SPOKE, ZONE, Dns, a, link
from tests.sandbox.support import CUSTOMER


async def test_a_zone_is_accepted_polled_and_then_there() -> None:
    dns = await Dns(Latency.AZURE).start()
    accepted = await dns.call("PUT", ZONE, GLOBAL)
    assert (accepted.status, accepted.body) == (202, {})
    assert accepted.headers["Retry-After"] == "30"
    poll = await dns.call("GET", accepted.headers["Azure-AsyncOperation"])
    assert (poll.status, poll.body) == (202, {"status": "InProgress"})
    assert {"Azure-AsyncOperation", "Location", "Retry-After"} <= set(poll.headers)
    assert (await dns.call("GET", poll.headers["Location"])).status == 202
    assert await dns.failure("GET", ZONE) == (404, "ResourceNotFound")

    dns.azure.clock.advance(30)
    poll = await dns.call("GET", accepted.headers["Azure-AsyncOperation"])
    assert (poll.status, poll.body) == (200, {"status": "Succeeded"})
    assert "Retry-After" not in poll.headers
    zone = await dns.call("GET", ZONE)
    assert zone.headers["ETag"] == zone.body["etag"]
    assert (await dns.call("GET", accepted.headers["Location"])).body["name"] == "tradewinds.internal"
    assert zone.body["location"] == "global"
    assert zone.body["properties"] == {
        "maxNumberOfRecordSets": 25000,
        "maxNumberOfVirtualNetworkLinks": 1000,
        "maxNumberOfVirtualNetworkLinksWithRegistration": 100,
        "numberOfRecordSets": 1,
        "numberOfVirtualNetworkLinks": 0,
        "numberOfVirtualNetworkLinksWithRegistration": 0,
        "provisioningState": "Succeeded",
    }
    assert (await dns.get(ZONE, api_version="2024-06-01"))["properties"]["internalId"]


async def test_an_operation_is_found_only_at_the_address_that_was_given() -> None:
    dns = await Dns().start()
    accepted = await dns.call("PUT", ZONE, GLOBAL)
    bare = accepted.headers["Azure-AsyncOperation"].partition("?")[0]
    for address in (bare, f"{bare}?s=x", f"{NETWORK}/privateDnsOperationStatuses/%C3%A4"):
        answer = await dns.call("GET", address)
        assert (answer.status, answer.body["code"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (ZONE, {"location": "westeurope"}, "LocationNotAvailableForResourceType"),
        (ZONE, {}, "LocationRequired"),
        (f"{NETWORK}/privateDnsZones/internal", GLOBAL, "BadRequest"),
        (f"{NETWORK}/privateDnsZones/a..b", GLOBAL, "BadRequest"),
        (f"{NETWORK}/privateDnsZones/-a.b", GLOBAL, "BadRequest"),
    ],
)
async def test_a_zone_is_global_and_has_a_name_of_labels(path: str, body: Any, code: str) -> None:
    dns = await Dns().start()
    assert await dns.failure("PUT", path, body) == (400, code)


async def test_conditions_of_zones_and_links_fail_in_the_poll() -> None:
    dns = await (await Dns().start()).with_link()
    for path, body, what in ((ZONE, GLOBAL, "Zone tradewinds.internal"), (LINK, link(SPOKE), "Virtual network link")):
        end = await dns.done("PUT", path, body, headers={"if-none-match": "*"})
        assert (end.status, end.body["status"], end.body["error"]["code"]) == (200, "Failed", "PreconditionFailed")
        assert what in end.body["error"]["message"]
        before = await dns.get(path)
        for method in ("PATCH", "DELETE"):
            if (method, path) == ("DELETE", ZONE):
                continue
            end = await dns.done(method, path, {"tags": {"a": "b"}}, headers={"if-match": '"stale"'})
            assert end.body["status"] == "Failed"
        assert await dns.get(path) == before
        await dns.done("PATCH", path, {"tags": {"a": "b"}}, headers={"if-match": before["etag"]})
        after = await dns.get(path)
        assert after["tags"] == {"a": "b"}
        assert after["etag"] != before["etag"]


async def test_a_zone_stays_as_long_as_the_deletion_of_its_link_is_under_way() -> None:
    dns = await Dns(Latency.AZURE).start()
    accepted = await dns.call("PUT", ZONE, GLOBAL)
    dns.azure.clock.advance(30)
    await dns.call("PUT", LINK, link(SPOKE))
    dns.azure.clock.advance(30)
    accepted = await dns.call("DELETE", LINK)
    assert (accepted.status, accepted.body) == (202, None)
    assert (await dns.call("DELETE", ZONE)).status == 409
    dns.azure.clock.advance(30)
    assert (await dns.call("DELETE", ZONE)).status == 202


async def test_what_is_not_there_is_named() -> None:
    dns = await Dns().start()
    missing = await dns.call("GET", LINK)
    assert missing.status == 404
    assert "'Microsoft.Network/privateDnsZones/tradewinds.internal/virtualNetworkLinks/dnsLink'" in str(missing.body)
    assert (await dns.call("DELETE", LINK)).status == 204
    assert (await dns.call("DELETE", ZONE)).status == 204
    parent = await dns.call("PUT", f"{ZONE}/A/www", a("10.1.0.5"))
    assert parent.body["error"] == {
        "code": "ParentResourceNotFound",
        "message": "Failed to perform 'write' on resource(s) of type 'privateDnsZones/A', because the parent resource "
        f"'{ZONE}' could not be found.",
    }
    for method, path in (("GET", f"{ZONE}/A/www"), ("DELETE", f"{ZONE}/A/www"), ("GET", f"{ZONE}/ALL")):
        assert await dns.failure(method, path) == (404, "ParentResourceNotFound")
    assert await dns.failure("PUT", LINK, link(SPOKE)) == (404, "ParentResourceNotFound")


async def test_zones_are_listed_by_group_and_by_subscription() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, {**GLOBAL, "tags": {"a": "b"}})
    other = f"/subscriptions/{CUSTOMER.id}/resourceGroups/other"
    await dns.call("PUT", other, {"location": "westeurope"}, api_version="2022-09-01")
    await dns.put(f"{other}/providers/Microsoft.Network/privateDnsZones/second.internal", GLOBAL)
    assert [zone["tags"] for zone in (await dns.get(f"{NETWORK}/privateDnsZones"))["value"]] == [{"a": "b"}]
    everywhere = await dns.get(f"/subscriptions/{CUSTOMER.id}/providers/Microsoft.Network/privateDnsZones")
    assert [zone["name"] for zone in everywhere["value"]] == ["tradewinds.internal", "second.internal"]


async def test_a_group_goes_with_its_zones_and_links() -> None:
    dns = await Dns().start()
    await dns.put(ZONE, GLOBAL)
    await dns.put(f"{ZONE}/A/www", a("10.1.0.5"))
    dns.azure.store.delete(ResourceId(f"{NETWORK}/virtualNetworks/spoke-vnet"))
    dns.azure.store.delete(ResourceId(f"{NETWORK}/virtualNetworks/other-vnet"))
    await dns.done("DELETE", GROUP, api_version="2022-09-01")
    assert [body for body in dns.azure.store if GROUP.lower() in str(body["id"]).lower()] == []
