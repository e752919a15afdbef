"""The comparison of answers finds what it is for, and nothing in equal ones."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.compare import differences
from tests.conformance.known import find
from tests.conformance.recordings import Bindings, Exchange, load
from tests.conformance.renamed import Renaming
from tests.conformance.replay import came_too_early, recorded_end

BODY = {
    "id": "/subscriptions/{sub}/resourceGroups/{rg1}/providers/Microsoft.Compute/disks/vm_OsDisk_1_" + "ab" * 16,
    "etag": 'W/"{g1}"',
    "tags": {"foo": "doo"},
    "properties": {"provisioningState": "Succeeded", "ttl": 60, "subnets": [], "zones": ["1", "2"], "primary": True},
}
GROUP = "/subscriptions/{sub}/resourceGroups/{rg1}/providers"
HEADERS = {"azure-asyncoperation": "https://somewhere"}


def found(change: Any = None, *, status: int = 201, headers: dict[str, str] | None = None) -> list[str]:
    """The differences between the recorded answer and one that is changed by `change`."""
    body = deepcopy(BODY)
    if change:
        change(body)
    answer = (status, HEADERS if headers is None else headers, body)
    return list(differences((201, HEADERS, BODY), answer))


def test_equal_answers_have_no_difference() -> None:
    assert found() == []


def test_renaming_leaves_what_is_no_name_and_knows_regions_in_any_case() -> None:
    def renamed(path: str, **content: str) -> Exchange:
        exchange = Exchange(0, "PUT", f"{GROUP}/{path}", "", "", path.rpartition("/")[0], content, {}, 200, {}, None)
        return Renaming.of([exchange]).exchange(exchange)

    zone = "Microsoft.Network/privateDnsZones"
    assert renamed(f"{zone}/one.com/A/*").path == f"{GROUP}/{zone}/xeno.xmoc/A/*"
    assert renamed(f"{zone}/one.com/A/*.www").path == f"{GROUP}/{zone}/xeno.xmoc/A/*.xwww"
    assert renamed("Microsoft.Resources/deployments/").path == f"{GROUP}/Microsoft.Resources/deployments/"
    disk = "/Microsoft.Compute/disks/vm1_disk2_" + "0a" * 16
    assert renamed(disk.strip("/")).path == GROUP + disk
    assert renamed(f"{zone}/one.com", location="WestUS").content == renamed(f"{zone}/o", location="westus").content


def test_what_no_two_runs_share_is_no_difference() -> None:
    assert found(lambda body: body.update(id=BODY["id"].replace("ab" * 16, "0f" * 16))) == []  # type: ignore[attr-defined]
    assert found(lambda body: body.update(etag='W/"11111111-2222-4333-8444-555555555555"')) == []


@pytest.mark.parametrize(
    ("name", "value", "difference"),
    [
        ("provisioningState", "Updating", "value properties.provisioningState: ['succeeded'] -> ['updating']"),
        ("ttl", "60", "type properties.ttl: ['number'] -> ['text']"),
        ("ttl", 3600, "value properties.ttl: ['60'] -> ['3600']"),
        ("subnets", None, "type properties.subnets: [] -> ['nothing']"),
        ("zones", ["1"], "value properties.zones: ['1', '2'] -> ['1']"),
        ("zones", ["1", "3"], "value properties.zones: ['1', '2'] -> ['1', '3']"),
        ("surprise", 1, "key extra properties.surprise"),
    ],
)
def test_a_changed_property_is_found(name: str, value: Any, difference: str) -> None:
    assert found(lambda body: body["properties"].update({name: value})) == [difference]


def test_a_missing_property_and_other_tags_are_found() -> None:
    assert found(lambda body: body["properties"].pop("subnets")) == ["key missing properties.subnets"]
    assert found(lambda body: body["tags"].clear()) == ["value tags: ['{\"foo\": \"doo\"}'] -> ['{}']"]


def test_another_status_and_other_headers_are_found() -> None:
    assert found(status=200) == ["status 201 -> 200"]
    assert found(headers={}) == ["header azure-asyncoperation missing"]
    assert found(headers={**HEADERS, "etag": "x"}) == ["header etag extra"]


def test_the_table_excuses_what_it_names_and_nothing_else() -> None:
    kind = "Microsoft.Network/virtualNetworks/subnets"
    difference = "value properties.privateEndpointNetworkPolicies: ['enabled'] -> ['disabled']"

    assert find("x", f"PUT {kind}", difference, ours=False, date="2021-03-01")
    assert not find("x", f"PUT {kind}", difference, ours=False, date="2024-11-01")
    assert not find("x", f"PUT {kind}", difference, ours=False)
    assert not find("x", f"PUT {kind}", "status 200 -> 201", ours=False, date="2021-03-01")


@pytest.mark.parametrize(
    ("operation", "difference", "ours", "api_version", "known"),
    [
        ("GET {}/subnets", "key extra properties.purpose", True, "2020-11-01", True),
        ("GET {}/subnets", "key extra properties.purpose", True, "2022-01-01", False),
        ("GET {}/subnets", "key extra properties.purpose", False, "2020-11-01", False),
        ("GET {}/subnets", "key extra properties.purposes", True, "2020-11-01", False),
        ("GET {}/subnets", "key missing properties.purpose", True, "2020-11-01", False),
        ("GET {} [list|action]", "key extra value.properties.subnets.properties.purpose", True, "2020-11-01", True),
        ("GET {}", "key missing properties.enableVmProtection", True, "2020-07-01", True),
        ("GET {}", "key missing properties.enableVmProtection", True, "2024-01-01", False),
    ],
)
def test_a_key_of_another_api_version_is_known_where_ours_takes_its_place(
    operation: str, difference: str, ours: bool, api_version: str, known: bool
) -> None:
    operation = operation.format("Microsoft.Network/virtualNetworks")
    assert bool(find("x", operation, difference, ours=ours, api_version=api_version)) is known


@pytest.mark.parametrize(("date", "known"), [("2023-10-30", True), ("2023-10-31", False), ("", False)])
def test_a_key_that_came_to_all_api_versions_is_known_in_answers_of_the_days_before(date: str, known: bool) -> None:
    operation, difference = "GET Microsoft.Network/networkInterfaces", "key extra properties.auxiliaryMode"
    assert bool(find("x", operation, difference, ours=False, date=date, api_version="2022-01-01")) is known


@pytest.mark.parametrize(("date", "known"), [("2020-11-30", True), ("2021-11-03", False), ("", False)])
def test_an_answer_older_than_its_api_version_was_asked_for_at_an_earlier_one(date: str, known: bool) -> None:
    operation, difference = "GET Microsoft.Network/virtualNetworks/subnets", "key extra properties.purpose"
    assert bool(find("x", operation, difference, ours=False, date=date, api_version="2024-05-01")) is known


def test_a_group_that_only_upper_case_names_is_the_group_in_use() -> None:
    """Azure writes some references in capitals; the recorder took them for those of one more group."""
    path = "/subscriptions/{sub}/resourceGroups/{rg1}/providers/Microsoft.Network/virtualNetworks/v"
    body = {"id": path, "properties": {"nic": path.replace("rg1", "rg2").replace("virtualNetworks/v", "nics/NIC")}}
    exchange = Exchange(0, "GET", path, "", "2024-05-01", "Microsoft.Network/virtualNetworks", None, {}, 200, {}, body)

    bindings = Bindings.start([exchange], "s", "run")

    assert bindings.fill("{rg1} {rg2}") == "run-rg1 RUN-RG1"
    bindings.learn({"etag": "{g1}/{g1}"}, {"etag": f"{'a' * 36}/{'a' * 36}"})
    assert bindings.fill("{g1}") == "a" * 36


def exchange(seq: int, method: str, path: str, status: int, **more: Any) -> Exchange:
    content = {"headers": {}, "body": None, **more}
    return Exchange(seq, method, f"/subscriptions/{{sub}}/{path}", "", "", "", None, {}, status, **content)


def test_what_was_refused_while_an_operation_was_under_way_is_left_out() -> None:
    begun = {"azure-asyncoperation": "https://arm/subscriptions/{sub}/operations/{g1}?api-version=1"}
    recording = [
        exchange(0, "DELETE", "link", 202, headers=begun),
        exchange(1, "DELETE", "zone", 409),
        exchange(2, "GET", "operations/{g1}", 200, body={"status": "Failed"}),
        exchange(3, "DELETE", "zone", 409),
    ]

    assert [came_too_early(one, recording) for one in recording] == [False, True, False, False]
    assert recorded_end(recording[0], recording) == "Failed"
    assert recorded_end(recording[1], recording) == "Succeeded"


def test_what_the_recorder_missed_in_capitals_and_what_azure_named_is_bound(tmp_path: Path) -> None:
    line = {"seq": 0, "method": "GET", "path": "/vm-000002NIC", "api_version": "", "rtype": "", "status": 200}
    path = tmp_path / "recording.jsonl"
    path.write_text(json.dumps({**line, "headers": {}, "body": {"id": "/nics/VM-ABCDEFGNIC/ips/IPVM-ABCDEFG"}}) + "\n")
    bindings = Bindings({})

    assert load(path)[0].body == {"id": "/nics/VM-000002NIC/ips/IPVM-ABCDEFG"}
    bindings.learn({"name": f"vm_disk1_{'0' * 32}"}, {"name": f"vm_OsDisk_1_{'a' * 32}"})
    assert bindings.fill(f"/disks/VM_disk1_{'0' * 32}") == f"/disks/vm_OsDisk_1_{'a' * 32}"
