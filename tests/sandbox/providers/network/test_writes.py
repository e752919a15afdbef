"""What every write to Microsoft.Network does the same way, shown on networks and groups."""

from __future__ import annotations

import re

from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.operations import doomed
from tests.sandbox.providers.network.conftest import LOCATION, Lab

SPACE = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
ETAG = re.compile(r'W/"[0-9a-f-]{36}"')


async def test_a_new_resource_is_updating_until_its_operation_ends(slow: Lab) -> None:
    network = slow.id("virtualNetworks/v")

    created = await slow.isv.call("PUT", network, {"location": "West Europe", "properties": SPACE})

    assert created.status == 201
    assert created.body["location"] == LOCATION
    assert created.body["properties"]["provisioningState"] == "Updating"
    assert created.headers["Retry-After"] == "3"
    assert not {"Location", "ETag"} & created.headers.keys()
    poll = await slow.isv.call("GET", created.headers["Azure-AsyncOperation"])
    assert (poll.status, poll.body) == (200, {"status": "InProgress"})

    slow.azure.clock.advance(4)

    poll = await slow.isv.call("GET", created.headers["Azure-AsyncOperation"])
    assert (poll.status, poll.body) == (200, {"status": "Succeeded"})
    assert "Retry-After" not in poll.headers
    done = await slow.isv.call("GET", network)
    assert done.body["properties"]["provisioningState"] == "Succeeded"
    assert done.headers["ETag"] == done.body["etag"] != created.body["etag"]
    assert ETAG.fullmatch(done.body["etag"])


async def test_the_advice_to_wait_grows_while_it_is_not_heeded(slow: Lab) -> None:
    created = await slow.isv.call("PUT", slow.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE})

    advice = [
        (await slow.isv.call("GET", created.headers["Azure-AsyncOperation"])).headers["Retry-After"] for _ in range(3)
    ]

    assert advice == ["3", "6", "12"]


async def test_an_operation_answers_at_its_own_address_only(lab: Lab) -> None:
    created = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE})
    address = created.headers["Azure-AsyncOperation"]

    rebuilt = await lab.isv.call("GET", address.partition("?")[0])
    elsewhere = await lab.isv.call("GET", address.replace(LOCATION, "northeurope"))
    other_side = await lab.sandbox.customer.call("GET", address)

    assert [rebuilt.status, elsewhere.status, other_side.status] == [404, 404, 401]


async def test_a_put_that_changes_nothing_keeps_the_etag(lab: Lab) -> None:
    before = await lab.put("virtualNetworks/v", SPACE)

    again = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE})

    assert again.status == 200
    assert again.body["properties"]["provisioningState"] == "Succeeded"
    assert again.body["etag"] == before["etag"]
    assert again.headers["Azure-AsyncOperation"]
    assert again.body["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]


async def test_new_tags_alone_are_no_work(lab: Lab) -> None:
    before = await lab.put("virtualNetworks/v", SPACE)
    body = {"location": LOCATION, "tags": {"a": "b"}, "properties": SPACE}

    tagged = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), body)

    assert tagged.body["properties"]["provisioningState"] == "Succeeded"
    assert tagged.body["etag"] != before["etag"]
    assert tagged.body["tags"] == {"a": "b"}


async def test_patch_sets_tags_at_once(lab: Lab) -> None:
    await lab.put("virtualNetworks/v", SPACE)

    patched = await lab.isv.call("PATCH", lab.id("virtualNetworks/v"), {"tags": {"a": "b"}})

    assert patched.status == 200
    assert "Azure-AsyncOperation" not in patched.headers
    assert patched.headers["Azure-AsyncNotification"] == "Enabled"
    assert patched.body["tags"] == {"a": "b"}
    assert patched.body["properties"]["provisioningState"] == "Succeeded"


async def test_a_deleted_resource_can_be_seen_until_it_is_gone(slow: Lab) -> None:
    group = slow.id("networkSecurityGroups/n")
    created = await slow.isv.call("PUT", group, {"location": LOCATION})
    slow.azure.clock.advance(2)
    assert created.status == 201

    deleted = await slow.isv.call("DELETE", group)
    meanwhile = await slow.get("networkSecurityGroups/n")
    written = await slow.isv.call("PUT", group, {"location": LOCATION})
    waiting = await slow.isv.call("GET", deleted.headers["Location"])

    assert (deleted.status, deleted.body) == (202, None)
    assert meanwhile["properties"]["provisioningState"] == "Deleting"
    assert written.status == 409
    assert (waiting.status, waiting.body) == (202, None)

    slow.azure.clock.advance(2)

    assert (await slow.isv.call("GET", deleted.headers["Azure-AsyncOperation"])).body == {"status": "Succeeded"}
    assert (await slow.isv.call("GET", deleted.headers["Location"])).status == 204
    gone = await slow.isv.call("GET", group)
    assert (gone.status, gone.body["error"]["code"]) == (404, "ResourceNotFound")


async def test_deleting_what_is_not_there(lab: Lab) -> None:
    await lab.network()

    assert (await lab.isv.call("DELETE", lab.id("loadBalancers/none"))).status == 204
    assert (await lab.isv.call("DELETE", lab.id("virtualNetworks/v/subnets/none"))).status == 204
    orphan = await lab.isv.call("DELETE", lab.id("virtualNetworks/none/subnets/s"))
    assert orphan.status == 404
    assert "virtualNetworks/none'" in orphan.body["error"]["message"]
    child = await lab.isv.call("GET", lab.id("virtualNetworks/v/subnets/none"))
    assert (child.status, child.body["error"]["code"]) == (404, "NotFound")


async def test_a_failed_operation_is_an_http_200_and_shows_in_the_resource(lab: Lab) -> None:
    with doomed(ArmError(500, "InternalServerError", "An error occurred.", details=())):
        created = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE})

    end = await lab.isv.end_of(created)

    assert end.status == 200
    assert end.body == {
        "status": "Failed",
        "error": {"code": "InternalServerError", "message": "An error occurred.", "details": []},
    }
    failed = await lab.get("virtualNetworks/v")
    assert failed["properties"]["provisioningState"] == "Failed"
    repaired = await lab.put("virtualNetworks/v", SPACE)
    assert repaired["properties"]["provisioningState"] == "Succeeded"


async def test_a_failure_shows_in_what_was_succeeded_at_once(lab: Lab) -> None:
    await lab.network()
    front = {"name": "f", "properties": {"subnet": lab.ref("virtualNetworks/v/subnets/a")}}
    nic = {"ipConfigurations": [front]}

    with doomed(ArmError(500, "InternalServerError", "An error occurred.", details=())):
        created = await lab.isv.call("PUT", lab.id("networkInterfaces/n"), {"location": LOCATION, "properties": nic})
    await lab.isv.end_of(created)

    assert created.body["properties"]["provisioningState"] == "Succeeded"
    assert (await lab.get("networkInterfaces/n"))["properties"]["provisioningState"] == "Failed"


async def test_what_is_not_ready_cannot_be_referred_to_yet(slow: Lab) -> None:
    properties = {**SPACE, "subnets": [{"name": "a", "properties": {"addressPrefix": "10.0.0.0/24"}}]}
    await slow.isv.call("PUT", slow.id("virtualNetworks/v"), {"location": LOCATION, "properties": properties})
    nic = {"ipConfigurations": [{"name": "i", "properties": {"subnet": slow.ref("virtualNetworks/v/subnets/a")}}]}

    early = await slow.isv.call("PUT", slow.id("networkInterfaces/n"), {"location": LOCATION, "properties": nic})

    assert (early.status, early.body["error"]["code"]) == (429, "RetryableError")
    detail = early.body["error"]["details"][0]
    assert detail["code"] == "ReferencedResourceNotProvisioned"
    assert "Updating state" in detail["message"]
    assert "PutSubnetOperation" in detail["message"]
    slow.azure.clock.advance(4)
    assert (
        await slow.isv.call("PUT", slow.id("networkInterfaces/n"), {"location": LOCATION, "properties": nic})
    ).status == 201


async def test_a_network_takes_one_write_at_a_time(slow: Lab) -> None:
    await slow.isv.call("PUT", slow.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE})
    subnet = {"properties": {"addressPrefix": "10.0.0.0/24"}}

    busy = await slow.isv.call("PUT", slow.id("virtualNetworks/v/subnets/a"), subnet)

    assert (busy.status, busy.body["error"]["code"]) == (409, "AnotherOperationInProgress")
    assert f"/locations/{LOCATION}/operations/" in busy.body["error"]["message"]
    slow.azure.clock.advance(4)
    assert (await slow.isv.call("PUT", slow.id("virtualNetworks/v/subnets/a"), subnet)).status == 201


async def test_references_are_checked(lab: Lab) -> None:
    await lab.network()
    other = await lab.isv.call("PUT", lab.isv.group("other"), {"location": "northeurope"})
    assert other.status == 201

    def nic(subnet: str) -> object:
        return {"ipConfigurations": [{"name": "i", "properties": {"subnet": {"id": subnet}}}]}

    missing = await lab.message("PUT", "networkInterfaces/n", nic(lab.id("virtualNetworks/v/subnets/none")))
    wrong_type = await lab.refused("PUT", "networkInterfaces/n", nic(lab.id("virtualNetworks/v")))
    no_id = await lab.refused("PUT", "networkInterfaces/n", nic("nonsense"))
    foreign = lab.sandbox.customer.group("g") + "/providers/Microsoft.Network/virtualNetworks/v/subnets/a"
    other_tenant = await lab.refused("PUT", "networkInterfaces/n", nic(foreign))
    far = await lab.isv.call(
        "PUT",
        lab.id("networkInterfaces/n"),
        {"location": "northeurope", "properties": nic(lab.id("virtualNetworks/v/subnets/a"))},
    )

    assert f"Resource {lab.id('virtualNetworks/v/subnets/none')} referenced by resource" in missing
    assert wrong_type == (400, "InvalidRequestFormat")
    assert no_id == (400, "LinkedInvalidPropertyId")
    assert other_tenant == (403, "LinkedAuthorizationFailed")
    assert (far.status, far.body["error"]["code"]) == (400, "InvalidResourceReference")


async def test_a_missing_whole_resource_is_named_in_upper_case(lab: Lab) -> None:
    front = {"name": "f", "properties": {"publicIPAddress": lab.ref("publicIPAddresses/nope")}}

    response = await lab.isv.call(
        "PUT",
        lab.id("loadBalancers/lb"),
        {"location": LOCATION, "properties": {"frontendIPConfigurations": [front]}},
    )

    error = response.body["error"]
    assert error["code"] == "InvalidResourceReference"
    assert "/resourceGroups/G/providers/Microsoft.Network/publicIPAddresses/NOPE" in error["message"]
    assert [detail["code"] for detail in error["details"]] == ["NotFound"]


async def test_regions_and_names_are_checked(lab: Lab) -> None:
    nowhere = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"location": "atlantis", "properties": SPACE})
    without = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"properties": SPACE})
    await lab.network()
    moved = await lab.isv.call("PUT", lab.id("virtualNetworks/v"), {"location": "northeurope", "properties": SPACE})

    assert nowhere.body["error"]["code"] == "LocationNotAvailableForResourceType"
    assert without.body["error"]["code"] == "LocationRequired"
    assert (moved.status, moved.body["error"]["code"]) == (409, "InvalidResourceLocation")
    for name in ("-v", "v v", "v" * 81, "v-"):
        assert await lab.refused("PUT", f"virtualNetworks/{name}", SPACE) == (400, "InvalidResourceName")


async def test_paths_and_ids_come_in_any_case(lab: Lab) -> None:
    created = await lab.network()

    shouted = await lab.isv.get(created["id"].upper().replace("SUBSCRIPTIONS", "subscriptions"))

    assert shouted["id"] == created["id"]
    assert created["id"].startswith(f"{lab.isv.group('g')}/providers/Microsoft.Network/virtualNetworks/v")


async def test_lists_are_bare_and_of_one_group_or_all(lab: Lab) -> None:
    await lab.network("v")
    await lab.isv.call("PUT", lab.isv.group("h"), {"location": LOCATION})
    await lab.isv.put(
        lab.isv.group("h") + "/providers/Microsoft.Network/virtualNetworks/w",
        {"location": LOCATION, "properties": SPACE},
    )

    whole = await lab.isv.call(
        "GET", f"/subscriptions/{lab.isv.subscription}/providers/Microsoft.Network/virtualNetworks"
    )
    group = await lab.isv.get(lab.id("virtualNetworks"))
    theirs = await lab.sandbox.customer.get(
        f"/subscriptions/{lab.sandbox.customer.subscription}/providers/Microsoft.Network/virtualNetworks"
    )

    assert [body["name"] for body in whole.body["value"]] == ["v", "w"]
    assert whole.body.keys() == {"value"}
    assert "ETag" not in whole.headers
    assert [body["name"] for body in group["value"]] == ["v"]
    assert theirs == {"value": []}


async def test_a_reader_may_look_only(lab: Lab) -> None:
    await lab.network()
    reader = lab.sandbox.reader

    assert (await reader.get(lab.id("virtualNetworks/v")))["name"] == "v"
    assert await reader.failure("DELETE", lab.id("virtualNetworks/v")) == (403, "AuthorizationFailed")


async def test_a_write_under_an_old_etag_is_refused(lab: Lab) -> None:
    network, body = lab.id("virtualNetworks/v"), {"location": LOCATION, "properties": SPACE}
    before = await lab.put("virtualNetworks/v", SPACE)

    for path, etag in ((network, 'W/"old"'), (lab.id("virtualNetworks/w"), before["etag"])):
        refused = await lab.isv.call("PUT", path, body, headers={"if-match": etag})
        assert (refused.status, refused.body["error"]["code"]) == (412, "PreconditionFailed")
        assert refused.body["error"]["details"][0]["code"] == "PreconditionFailedEtagMismatch"

    assert await lab.get("virtualNetworks/v") == before
    for etag in (before["etag"], "*"):
        assert (await lab.isv.call("PUT", network, body, headers={"if-match": etag})).status == 200


async def test_a_child_shares_its_parents_etag(lab: Lab) -> None:
    before = await lab.put("virtualNetworks/v", SPACE)
    subnet = lab.id("virtualNetworks/v/subnets/a")
    body = {"properties": {"addressPrefix": "10.0.0.0/24"}}
    made = await lab.isv.call("PUT", subnet, body)
    assert made.status == 201

    refused = await lab.isv.call("PUT", subnet, body, headers={"if-match": before["etag"]})
    assert refused.status == 412
    now = (await lab.get("virtualNetworks/v"))["etag"]
    assert (await lab.isv.call("PUT", subnet, body, headers={"if-match": now})).status == 200


async def test_what_stands_on_a_public_prefix_shows_it(lab: Lab) -> None:
    sent, shown = lab.ref("publicIpPrefixes/range"), lab.ref("publicIPPrefixes/range")
    standard = {"name": "Standard"}
    front = {"name": "front", "properties": {"publicIPPrefix": sent}}

    balancer = await lab.put("loadBalancers/lb", {"frontendIPConfigurations": [front]}, sku=standard)
    address = await lab.put("publicIPAddresses/p", {"publicIPPrefix": sent}, sku=standard)
    gateway = await lab.put("natGateways/out", {"publicIpPrefixes": [sent]}, sku=standard)
    refused = await lab.refused("PUT", "natGateways/other", {"publicIpPrefixes": [lab.ref("publicIPAddresses/p")]})

    assert balancer["properties"]["frontendIPConfigurations"][0]["properties"] == {
        "provisioningState": "Succeeded",
        "privateIPAllocationMethod": "Dynamic",
        "publicIPPrefix": shown,
        "privateIPAddressVersion": "IPv4",
    }
    assert address["properties"]["publicIPPrefix"] == shown
    assert gateway["properties"]["publicIpPrefixes"] == [shown]
    assert refused == (400, "InvalidResourceReference")


async def test_a_public_frontend_does_not_tell_its_version(lab: Lab) -> None:
    standard = {"name": "Standard"}
    await lab.put("publicIPAddresses/p", {"publicIPAddressVersion": "IPv6"}, sku=standard)
    public = {"publicIPAddress": lab.ref("publicIPAddresses/p"), "privateIPAddressVersion": "IPv6"}

    made = await lab.put(
        "loadBalancers/lb", {"frontendIPConfigurations": [{"name": "front", "properties": public}]}, sku=standard
    )

    assert "privateIPAddressVersion" not in made["properties"]["frontendIPConfigurations"][0]["properties"]


async def test_a_global_address_is_a_standard_one(lab: Lab) -> None:
    refused = await lab.refused("PUT", "publicIPAddresses/p", {}, sku={"name": "Basic", "tier": "Global"})

    assert refused == (400, "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress")


async def test_a_tunnel_has_a_port_although_none_was_asked_for(lab: Lab) -> None:
    await lab.network()
    front = {"name": "front", "properties": {"subnet": lab.ref("virtualNetworks/v/subnets/a")}}
    tunnel = {"identifier": 900, "protocol": "VXLAN", "type": "Internal"}
    outer = {"identifier": 901, "protocol": "VXLAN", "type": "External"}
    pool = {"name": "pool", "properties": {"tunnelInterfaces": [tunnel, outer]}}

    made = await lab.put(
        "loadBalancers/lb",
        {"frontendIPConfigurations": [front], "backendAddressPools": [pool]},
        sku={"name": "Gateway"},
    )

    (shown,) = made["properties"]["backendAddressPools"]
    assert shown["properties"]["tunnelInterfaces"] == [{"port": 10800, **tunnel}, {"port": 10801, **outer}]
