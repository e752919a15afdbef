"""What is told before the first write: by a real client to a sandbox that is put into each of these states."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from plstui.cli.output import EXIT_FAILED, EXIT_USAGE, exit_code_of
from plstui.domain.errors import UnreachableError
from plstui.domain.sides import Side
from plstui.lab.checks.problem import PreflightError, Problem
from plstui.lab.preflight import preflight
from plstui.lab.session import subscriptions
from plstui.lab.steps import Choices
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.parties import Party
from tests.lab.rig import KEY, Rig, rig

BOTH = tuple(Side)
ISV, CUSTOMER = (Side.ISV,), (Side.CUSTOMER,)
SERVICE = (
    "/subscriptions/99999999-0000-4000-8000-000000000000/resourceGroups/g/providers/Microsoft.Network/"
    "privateLinkServices/s"
)


async def chosen(
    at: Rig, lab: Mapping[str, Any] | None = None, *, sides: Sequence[Side] = BOTH, **more: Any
) -> Choices:
    """What a preflight chooses; nothing is written by it."""
    before = list(at.written)
    try:
        async with at.session(sides=tuple(sides), lab=dict(lab or {})) as session:
            runtime = session.runtime
            at_hand = subscriptions(runtime), runtime.bodies, KEY
            return (await preflight(runtime.lab, *at_hand, clock=at.clock, **more)).choices
    finally:
        assert at.written == before


async def refused(at: Rig, lab: Mapping[str, Any] | None = None, **more: Any) -> tuple[Problem, ...]:
    """What a preflight says is in the way; nothing is written by it."""
    with pytest.raises(PreflightError) as error:
        await chosen(at, lab, **more)
    return error.value.problems


async def the_one(at: Rig, lab: Mapping[str, Any] | None = None, **more: Any) -> tuple[str, str, str]:
    """The code, sentence and next step of the only thing that is in the way."""
    (problem,) = await refused(at, lab, **more)
    return problem.code, problem.message, problem.hint


async def arm(at: Rig, party: Party, method: str, path: str, body: Any = None) -> Response:
    """Something that happens in Azure while nobody looks."""
    path = f"/subscriptions/{party.subscription.id}{path}"
    content = b"" if body is None else json.dumps(body).encode()
    request = Request(method, path, {"api-version": "2024-05-01"}, {}, content)
    response = await at.sandbox.gateway.handle_for(party.owner, request)
    assert response.status < 300, response.body
    await at.sandbox.azure.operations.settle()
    return response


# What a plan chooses by itself


async def test_nothing_is_in_the_way(empty: Rig) -> None:
    choices = await chosen(empty, {"region": "West Europe"}, approves=True)

    assert (choices.region, choices.size, choices.public_key) == ("westeurope", "Standard_B2s", KEY)
    assert choices.run != (await chosen(empty)).run


async def test_a_lab_that_is_there_needs_neither_quota_nor_size(empty: Rig) -> None:
    async with empty.session() as session:
        await session.up()
    for party in (empty.sandbox.isv, empty.sandbox.customer):
        for word in ("cores", "virtualMachines", "VirtualNetworks", "PrivateEndpoints"):
            empty.sandbox.azure.quotas.set_limit(party.subscription.id, word, 0)

    await chosen(empty, {"size": "Standard_B1ms"}, approves=True)

    asked = empty.sandbox.gateway.counters
    assert not any("skus" in what or "usages" in what for what in asked)


async def test_only_what_is_missing_counts(empty: Rig) -> None:
    async with empty.session() as session:
        await session.up(until="machines")
    limit = empty.sandbox.azure.quotas.set_limit
    limit(empty.sandbox.isv.subscription.id, "cores", 6)
    limit(empty.sandbox.isv.subscription.id, "NetworkInterfaces", 3)

    assert (await chosen(empty)).region == "westeurope"

    limit(empty.sandbox.isv.subscription.id, "LoadBalancers", 0)
    code, message, _ = await the_one(empty)
    assert (code, "0 of 0 Load Balancers" in message) == ("QuotaExceeded", True)


# Settings that cannot be

OFFLINE: list[tuple[Sequence[Side], dict[str, Any], str, str]] = [
    (BOTH, {"message": "x" * 141}, "MessageTooLong", "has 141 characters, and Azure takes 140"),
    (BOTH, {"message": "one\ntwo"}, "MessageNotText", "line breaks"),
    (BOTH, {"isv_prefix": "10.1.0.0/16", "isv_subnet_prefix": "10.1.9.0/24"}, "AddressRange", "two networks overlap"),
    (BOTH, {"isv_prefix": "10.0.0.0/8"}, "AddressRange", "two networks overlap"),
    (ISV, {"isv_subnet_prefix": "10.2.0.0/24"}, "AddressRange", "10.2.0.0/24 does not lie in its network 10.0.0.0/16"),
    (ISV, {"isv_subnet_prefix": "10.0.1.7/24"}, "AddressRange", "10.0.1.0/24 does"),
    (ISV, {"isv_subnet_prefix": "10.0.1.0/99"}, "AddressRange", "no range of IPv4 addresses"),
    (ISV, {"isv_subnet_prefix": "10.0.1.0/29"}, "AddressRange", "leaves 3 of its addresses, and the lab needs 5"),
    (
        ISV,
        {"isv_prefix": "52.0.0.0/16", "isv_subnet_prefix": "52.0.0.0/24"},
        "AddressRange",
        "52.0.0.0/16 is not private",
    ),
    (ISV, {"user": "admin"}, "NameNotAllowed", "Azure keeps this name from users"),
    (CUSTOMER, {"user": "a" * 21, "test_machine": "windows", "service_id": SERVICE}, "NameNotAllowed", "Windows takes"),
    (ISV, {"names": {"subnet": "GatewaySubnet"}}, "NameNotAllowed", "services of its own"),
    (ISV, {"names": {"virtual_network": "v" * 65}}, "NameNotAllowed", "has 65 characters, and Azure takes 2 to 64"),
    (ISV, {"names": {"balancer": "balancer("}}, "NameNotAllowed", "begins and ends with a letter or digit"),
    (
        CUSTOMER,
        {"names": {"test_machine": "vm-"}, "service_id": SERVICE},
        "NameNotAllowed",
        "begins and ends with a letter",
    ),
    (BOTH, {"dns": {"zone": "azure.com"}}, "NameNotAllowed", "Azure's own services"),
    (BOTH, {"dns": {"zone": f"{'x' * 64}.internal"}}, "NameNotAllowed", "each part of it 63"),
    (BOTH, {"dns": {"kind": "public", "zone": "example.com"}}, "ZoneWithoutGroup", "which group"),
    (BOTH, {"dns": {"kind": "public", "group": "a/b"}}, "NameNotAllowed", "no resource group can be called so"),
    (CUSTOMER, {}, "NoService", "Neither the ISV's subscription nor a service"),
    (CUSTOMER, {"service_id": "saas"}, "NameNotAllowed", "not the id of a private link service"),
    (CUSTOMER, {"service_id": SERVICE.rpartition("/private")[0]}, "NameNotAllowed", "not the id of a private link"),
    (BOTH, {"service_id": SERVICE}, "TwoServices", "another service than the one that the lab builds"),
]


@pytest.mark.parametrize(("sides", "lab", "code", "words"), OFFLINE)
async def test_a_setting_that_cannot_be(
    empty: Rig, sides: Sequence[Side], lab: dict[str, Any], code: str, words: str
) -> None:
    found, message, hint = await the_one(empty, lab, sides=sides)

    assert (found, hint != "") == (code, True)
    assert words in message


async def test_a_machine_is_named_by_a_beginning(empty: Rig) -> None:
    assert await chosen(empty, {"names": {"machine": "web-"}}, sides=ISV)


async def test_the_other_side_is_not_judged(empty: Rig) -> None:
    await chosen(empty, {"message": "x" * 141, "names": {"endpoint": "e" * 80}}, sides=ISV)
    await chosen(empty, {"isv_subnet_prefix": "10.9.0.0/24", "service_id": SERVICE}, sides=CUSTOMER)


async def test_all_that_is_in_the_way_is_told_at_once(empty: Rig) -> None:
    lab = {"message": "x" * 141, "isv_prefix": "10.1.0.0/16", "isv_subnet_prefix": "10.1.9.0/24", "region": "westeurop"}

    problems = await refused(empty, lab)

    assert {problem.code for problem in problems} == {"MessageTooLong", "AddressRange", "RegionUnknown"}
    with pytest.raises(PreflightError, match="3 things are in the way, and nothing was sent") as error:
        await chosen(empty, lab)
    assert all(problem.message in error.value.hint for problem in problems)
    assert exit_code_of(error.value) == EXIT_USAGE


# Regions and sizes


async def test_a_region_that_there_is_not(empty: Rig) -> None:
    code, message, hint = await the_one(empty, {"region": "West Europ"})

    assert (code, "the nearest name is westeurope (West Europe)" in message) == ("RegionUnknown", True)
    assert "northeurope" in hint
    assert (await the_one(empty, {"region": "Atlantis"}))[0] == "RegionUnknown"


async def test_a_region_without_zones(empty: Rig) -> None:
    code, message, hint = await the_one(empty, {"region": "UK West"})

    assert (code, "ukwest (UK West) has no zones" in message) == ("RegionWithoutZones", True)
    assert "uksouth" in hint
    assert "ukwest" not in hint
    # A customer's lab needs no zones.
    assert (await chosen(empty, {"region": "UK West", "service_id": SERVICE}, sides=CUSTOMER)).region == "ukwest"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ("Standard_B1ms", "by the ISV: this subscription cannot have it in zone 3"),
        ("Standard_D4s_v3", "by the ISV and the Customer: this subscription cannot have it there"),
        ("Standard_B2pts_v2", "it is not for x64"),
        ("Standard_Z9", "not offered there at all"),
    ],
)
async def test_a_size_that_cannot_be_had(empty: Rig, size: str, words: str) -> None:
    code, message, hint = await the_one(empty, {"size": size})

    assert (code, words in message) == ("SizeNotAvailable", True)
    assert "one of Standard_B2s, " in hint


async def test_a_size_that_was_asked_for(empty: Rig) -> None:
    assert (await chosen(empty, {"size": "standard_d2S_V5"})).size == "Standard_D2s_v5"
    # Where no zone is asked for, one that is closed does not matter.
    assert (await chosen(empty, {"size": "Standard_B1ms", "service_id": SERVICE}, sides=CUSTOMER)).size
    code, message, _ = await the_one(empty, {"size": "Standard_B1s", "test_machine": "windows"})
    assert (code, "by the Customer: it has 1 GB" in message) == ("SizeNotAvailable", True)


# Quota


async def test_a_small_quota_takes_a_smaller_size(empty: Rig) -> None:
    limit = empty.sandbox.azure.quotas.set_limit
    limit(empty.sandbox.isv.subscription.id, "cores", 5)
    assert (await chosen(empty)).size == "Standard_DS1_v2"

    limit(empty.sandbox.isv.subscription.id, "cores", 2)
    code, message, hint = await the_one(empty)
    assert code == "QuotaExceeded"
    assert message == "The ISV's quota in westeurope leaves 2 of 2 Total Regional vCPUs, and the lab needs 6 more."
    assert "lab.region" in hint


async def test_a_family_without_quota_is_passed_over(empty: Rig) -> None:
    subscription = empty.sandbox.customer.subscription.id
    empty.sandbox.azure.quotas.set_limit(subscription, "standardBSFamily", 1)

    assert (await chosen(empty)).size == "Standard_D2s_v5"
    code, message, _ = await the_one(empty, {"size": "Standard_B2s"})
    assert (code, "The Customer's quota" in message) == ("QuotaExceeded", True)


async def test_quota_of_the_network(empty: Rig) -> None:
    empty.sandbox.azure.quotas.set_limit(empty.sandbox.isv.subscription.id, "PublicIPAddresses", 0)

    code, message, _ = await the_one(empty)
    assert (code, "0 of 0 Public IP Addresses" in message) == ("QuotaExceeded", True)
    await chosen(empty, {"isolated": True})


async def test_one_subscription_for_both_sides_has_one_quota(empty: Rig) -> None:
    subscription = empty.sandbox.isv.subscription.id
    empty.sandbox.azure.quotas.set_limit(subscription, "cores", 7)
    async with empty.session() as session:
        bodies = dict.fromkeys(Side, session.runtime.bodies[Side.ISV])
        ready = await preflight(session.runtime.lab, dict.fromkeys(Side, subscription), bodies, KEY)
    assert ready.choices.size == "Standard_DS1_v2"


async def test_one_group_for_both_sides(empty: Rig) -> None:
    subscription = empty.sandbox.isv.subscription.id
    async with empty.session(lab={"names": {"customer_group": "Privatelink-PLS-microhack-rg"}}) as session:
        bodies = dict.fromkeys(Side, session.runtime.bodies[Side.ISV])
        with pytest.raises(PreflightError, match="it is the ISV's group too"):
            await preflight(session.runtime.lab, dict.fromkeys(Side, subscription), bodies, KEY)


# Providers and rights


async def test_a_provider_that_is_not_registered(empty: Rig) -> None:
    customer = empty.sandbox.customer
    await arm(empty, customer, "POST", "/providers/Microsoft.Compute/unregister")

    code, message, hint = await the_one(empty)
    assert (code, "Customer" in message, "Microsoft.Compute" in message) == ("ProviderNotRegistered", True, True)
    assert hint.startswith(
        f"az provider register --namespace Microsoft.Compute --subscription {customer.subscription}"[:60]
    )
    # The steps that matter take no machine of the customer's.
    await chosen(empty, until="offer")


async def test_a_reader_may_not_build(empty: Rig) -> None:
    sign_in_as_reader(empty, empty.sandbox.isv)

    problems = await refused(empty, approves=True)

    assert {problem.code for problem in problems} == {"RightsMissing"}
    (problem,) = problems
    assert "The ISV's sign-in may not do this in subscription 11111111" in problem.message
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in problem.message
    assert "--role Contributor" in problem.hint


async def test_rights_are_looked_for_where_the_group_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with rig(tmp_path_factory.mktemp("pending"), "pending") as pending:
        sign_in_as_reader(pending, pending.sandbox.isv)
        sign_in_as_reader(pending, pending.sandbox.customer)
        problems = await refused(pending, approves=True)

    isv, customer = sorted((problem.message for problem in problems), reverse=True)
    assert "in resource group privatelink-pls-microhack-rg" in isv
    assert "privateEndpointConnections/write" in isv
    assert "loadBalancingRules/health/action" in isv
    assert "in resource group privatelink-dns-microhack-rg: Microsoft.Network/privateDnsZones/A/write." in customer


def sign_in_as_reader(at: Rig, party: Party) -> None:
    at.config.write_text(at.config.read_text().replace(party.owner.client_id, party.reader.client_id))
    (at.folder / f"{party.name}.secret").write_text(party.reader.secret)


# Names that are taken


async def test_a_group_in_another_region(empty: Rig) -> None:
    await arm(empty, empty.sandbox.isv, "PUT", "/resourceGroups/PRIVATELINK-pls-microhack-rg", {"location": "uksouth"})

    code, message, hint = await the_one(empty)

    assert (code, "is in uksouth already, and the lab is to be in westeurope" in message) == ("NameTaken", True)
    assert "lab.region to uksouth" in hint
    assert (await chosen(empty, {"region": "uksouth"})).region == "uksouth"


NETWORK = "/resourceGroups/privatelink-pls-microhack-rg/providers/Microsoft.Network/virtualNetworks/virtualNetwork"


@pytest.mark.parametrize(
    ("space", "subnet", "code", "words"),
    [
        ("10.7.0.0/16", "10.7.1.0/24", "NameTaken", "virtualNetwork is there already and is not the lab's"),
        ("10.0.0.0/16", "10.0.0.0/23", "AddressRange", "the subnet theirs (10.0.0.0/23) overlaps 10.0.1.0/24"),
    ],
)
async def test_a_network_of_somebody_else(empty: Rig, space: str, subnet: str, code: str, words: str) -> None:
    isv = empty.sandbox.isv
    await arm(empty, isv, "PUT", "/resourceGroups/privatelink-pls-microhack-rg", {"location": "westeurope"})
    theirs = {"name": "theirs", "properties": {"addressPrefix": subnet}}
    properties = {"addressSpace": {"addressPrefixes": [space]}, "subnets": [theirs]}
    await arm(empty, isv, "PUT", NETWORK, {"location": "westeurope", "properties": properties})

    found, message, _ = await the_one(empty)

    assert (found, words in message) == (code, True)


async def test_a_request_that_was_rejected(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with rig(tmp_path_factory.mktemp("rejected"), "rejected") as rejected:
        problems = await refused(rejected)
    assert "The request is rejected" in problems[0].message


async def test_a_public_zone_must_be_there(empty: Rig) -> None:
    dns = {"kind": "public", "zone": "example.com", "group": "names"}

    code, message, _ = await the_one(empty, {"dns": dns})

    assert (code, "no public zone example.com in resource group names" in message) == ("ZoneMissing", True)


# When Azure is slow to answer


async def test_throttling_is_waited_for(empty: Rig) -> None:
    await empty.sandbox.faults.load(fault("throttle", times=5, retry_after=20))
    said: list[str] = []

    assert (await chosen(empty, say=said.append)).size

    assert len(said) == 5
    assert all("20 s" in text for text in said)


async def test_no_answer_is_told_at_once(empty: Rig) -> None:
    await empty.sandbox.faults.load(fault("drop", type="Microsoft.Resources/*"))
    with pytest.raises(UnreachableError):
        await chosen(empty)


async def test_what_is_in_the_way_in_azure_is_no_wrong_usage(empty: Rig) -> None:
    empty.sandbox.azure.quotas.set_limit(empty.sandbox.isv.subscription.id, "virtualMachines", 1)
    with pytest.raises(PreflightError) as error:
        await chosen(empty)
    assert (error.value.code, exit_code_of(error.value)) == ("QuotaExceeded", EXIT_FAILED)


def fault(kind: str, **more: Any) -> Any:
    """A plan with one fault that happens to reads."""
    return {"faults": [{"kind": kind, "method": "GET", **more}]}
