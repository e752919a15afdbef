"""The workshop as data: complete, in an order that can be kept, and named as the settings say."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from plstui.config.settings import Lab, LabDns, LabNames
from plstui.domain.sides import Side
from plstui.lab.parts import Part, StepState, Survey, Want
from plstui.lab.progress import assess
from plstui.lab.steps import Choices, Workshop, workshop
from tests.lab.rig import rig

BOTH = {Side.ISV: "11111111-0000-4000-8000-000000000000", Side.CUSTOMER: "22222222-0000-4000-8000-000000000000"}
CHOICES = Choices(region="westeurope", size="Standard_B2s", public_key="ssh-ed25519 AAAA", run="r1", password="Aa1!")
SERVICE = "/subscriptions/3/resourceGroups/theirs/providers/Microsoft.Network/privateLinkServices/theirs"


def made(lab: Lab | None = None, sides: dict[Side, str] | None = None) -> Workshop:
    return workshop(lab or Lab(), BOTH if sides is None else sides, CHOICES)


VARIANTS = {
    "usual": made(),
    "isolated": made(Lab(isolated=True)),
    "public": made(Lab(dns=LabDns(kind="public", zone="tradewinds.example", group="names"))),
    "address alone": made(Lab(dns=LabDns(kind="none"))),
    "windows": made(Lab(test_machine="windows")),
    "isv alone": made(sides={Side.ISV: BOTH[Side.ISV]}),
    "customer alone": made(Lab(service_id=SERVICE), {Side.CUSTOMER: BOTH[Side.CUSTOMER]}),
    "customer without a service": made(sides={Side.CUSTOMER: BOTH[Side.CUSTOMER]}),
    "nobody": made(sides={}),
}
EACH = pytest.mark.parametrize("lab", VARIANTS.values(), ids=VARIANTS)


def parts(lab: Workshop) -> dict[str, Part]:
    """Every part by its key."""
    return {part.key: part for step in lab.steps for part in step.parts}


def wants(lab: Workshop) -> dict[str, Want]:
    return {key: part for key, part in parts(lab).items() if isinstance(part, Want)}


def sent(lab: Workshop) -> str:
    """All that the lab's parts say: ids, words and bodies."""
    return repr([(want.id, want.what, want.initial, want.wanted(Survey())) for want in wants(lab).values()])


@EACH
def test_there_are_sixteen_steps_and_two_sentences_on_each(lab: Workshop) -> None:
    assert [step.number for step in lab.steps] == list(range(1, 17))
    assert len({step.id for step in lab.steps}) == 16
    for step in lab.steps:
        assert len(re.findall(r"[.!?](?: |$)", step.why)) == 2, step.why
        assert step.title
        assert step.blade


def test_the_sides_are_those_of_the_workshop() -> None:
    customers = {step.number for step in made().steps if step.side is Side.CUSTOMER}

    assert customers == {11, 12, 14, 15, 16}


@EACH
def test_every_part_has_a_key_of_its_own_and_needs_what_there_is(lab: Workshop) -> None:
    keys = [part.key for step in lab.steps for part in step.parts]
    assert len(set(keys)) == len(keys)
    for part in parts(lab).values():
        assert set(part.needs) <= set(keys), part.key


@EACH
def test_no_part_needs_itself_in_the_end(lab: Workshop) -> None:
    left = dict(parts(lab))
    while ready := [key for key, part in left.items() if not set(part.needs) & left.keys()]:
        for key in ready:
            del left[key]
    assert left == {}


@EACH
def test_a_step_needs_nothing_of_a_later_one(lab: Workshop) -> None:
    number = {part.key: step.number for step in lab.steps for part in step.parts}
    for part in parts(lab).values():
        assert all(number[key] <= number[part.key] for key in part.needs), part.key


@EACH
def test_pieces_of_one_resource_agree_on_what_it_is(lab: Workshop) -> None:
    for one, other in pairwise(sorted(wants(lab).values(), key=lambda want: want.id.key)):
        if one.id == other.id:
            assert (one.side, one.id.text) == (other.side, other.id.text)


@pytest.mark.parametrize(
    ("step", "keys"),
    [
        ("isv-group", "isv-group"),
        ("isv-network", "asg nat nat-address nsg vnet"),
        ("machines", "nic1 nic2 nic3 ssh-key vm1 vm1-running vm2 vm2-running vm3 vm3-running"),
        ("balancer", "lb"),
        ("probe", "probe"),
        ("rule", "rule"),
        ("pool", "healthy member1 member2 member3"),
        ("policies", "policies"),
        ("service", "service"),
        ("offer", "offer"),
        ("customer-network", "client client-nic client-running customer-group spoke zone zone-link"),
        ("endpoint", "endpoint"),
        ("approval", "approved"),
        ("address", "address"),
        ("record", "record"),
        ("page", ""),
    ],
)
def test_what_each_step_is_made_of(step: str, keys: str) -> None:
    assert sorted(part.key for part in made().step(step).parts) == keys.split()


def test_names_of_the_settings_are_used_everywhere() -> None:
    renamed = {
        field.name: f"other{number}"
        for number, field in enumerate(msgspec.structs.fields(LabNames))
        if isinstance(field.default, str)
    }
    text = sent(made(Lab(names=LabNames(**renamed))))
    usual = sent(made())

    for field in msgspec.structs.fields(LabNames):
        theirs, ours = re.escape(field.default), re.escape(renamed[field.name])
        assert re.search(rf"\b{theirs}(\d|\b)", usual), field.name
        assert re.search(rf"\b{ours}(\d|\b)", text), field.name
        assert not re.search(rf"/{theirs}[123]?(['/ ]|-nic|-os)", text), field.name


@pytest.mark.parametrize(
    ("settings", "there", "gone"),
    [
        ({"isv_prefix": "10.7.0.0/16", "isv_subnet_prefix": "10.7.1.0/24"}, "10.7.1.0/24", "10.0."),
        ({"customer_prefix": "10.8.0.0/16", "customer_subnet_prefix": "10.8.0.0/24"}, "10.8.0.0/24", "10.1."),
        ({"user": "pilot"}, "/home/pilot/", "azureuser"),
        ({"message": "Order no.: 1"}, "Order no.: 1", "314159"),
        ({"dns": LabDns(zone="shop.internal", record="store")}, "privateDnsZones/shop.internal/A/store", "tradewinds."),
    ],
)
def test_other_settings_are_used_everywhere(settings: dict[str, Any], there: str, gone: str) -> None:
    assert gone in sent(made())
    text = sent(made(Lab(**settings)))
    assert there in text
    assert gone not in text


def test_an_isolated_network_has_no_way_out() -> None:
    isolated = VARIANTS["isolated"]
    assert "nat" in parts(made())
    assert not {"nat", "nat-address"} & parts(isolated).keys()
    assert "natGateway" not in sent(isolated)
    # The subnet says so itself: what Azure does where nothing is said depends on the api-version.
    assert isolated.provider is not None
    (subnet,) = wants(isolated)["vnet"].wanted(Survey())["properties"]["subnets"]  # type: ignore[index]
    assert subnet["properties"]["defaultOutboundAccess"] is False


def test_a_public_name_is_put_into_a_zone_that_is_there() -> None:
    lab = VARIANTS["public"]
    assert not {"zone", "zone-link"} & parts(lab).keys()
    record = wants(lab)["record"]
    assert record.id.type == "Microsoft.Network/dnsZones/A"
    assert record.id.resource_group == "names"
    assert record.initial == {"properties": {"TTL": 300, "metadata": {"created-by": "plstui"}}}


def test_without_a_name_there_is_no_step_for_one_to_do() -> None:
    lab = VARIANTS["address alone"]
    assert not {"zone", "zone-link", "record"} & parts(lab).keys()
    assert lab.step("record").absent == ""


def test_a_windows_machine_has_a_password_and_no_key() -> None:
    body = wants(VARIANTS["windows"])["client"].initial["properties"]
    assert body["storageProfile"]["imageReference"]["offer"] == "WindowsServer"
    assert body["osProfile"]["adminPassword"] == "Aa1!"
    assert "linuxConfiguration" not in body["osProfile"]
    assert "Aa1!" not in repr(CHOICES)
    for number in (1, 2, 3):
        assert "adminPassword" not in repr(wants(VARIANTS["windows"])[f"vm{number}"].initial)


@pytest.mark.parametrize(
    ("variant", "absent", "because"),
    [
        ("isv alone", range(11, 17), "the customer subscription is not set"),
        ("customer alone", range(1, 11), "the ISV subscription is not set"),
        ("customer without a service", range(12, 17), "the ISV subscription is not set, and neither is lab.service_id"),
        ("nobody", range(1, 11), "the ISV subscription is not set"),
    ],
)
def test_a_step_of_somebody_else_says_whose_subscription_is_missing(variant: str, absent: range, because: str) -> None:
    told = {step.number: step.absent for step in VARIANTS[variant].steps}
    assert {number for number, why in told.items() if why.lower() == because.lower()} >= set(absent)
    if variant.endswith("alone"):
        assert {number for number, why in told.items() if why} == set(absent)
    for status in assess(VARIANTS[variant].steps, Survey()):
        assert (status.state is StepState.BLOCKED) == bool(told[status.step.number])


def test_steps_are_found_by_number_and_by_id() -> None:
    assert made().step("13") is not None
    assert made().step("Approval").number == 13
    with pytest.raises(LookupError, match=r"no step 'seventeen'; there are 1 isv-group, 2 isv-network"):
        made().step("seventeen")


NEEDED = "needed"
DONE_TO_9 = dict.fromkeys(range(1, 11), "done")
DONE_TO_12 = {**DONE_TO_9, 11: "done", 12: "done", 14: "done"}
PLANS = {
    "empty": {},
    "deployed": DONE_TO_9,
    "pending": DONE_TO_12,
    "approved": {**DONE_TO_12, 13: "done", 15: "done"},
    "rejected": {**DONE_TO_12, 13: "blocked"},
    "disconnected": {**DONE_TO_12, 13: "blocked", 15: "done"},
    "unhealthy": {**DONE_TO_12, 7: NEEDED, 13: "done", 15: "done"},
}


@pytest.mark.parametrize("world", PLANS)
async def test_the_plan_on_each_world(world: str, tmp_path: Path) -> None:
    async with rig(tmp_path, world) as azure, azure.session() as plstui:
        statuses = (await plstui.run()).statuses()
        written = list(azure.written)

    assert {status.step.number: str(status.state) for status in statuses} == {
        number: PLANS[world].get(number, NEEDED) for number in range(1, 17)
    }
    assert all(bool(status.because) == (status.state is not StepState.DONE) for status in statuses)
    assert written == []


async def test_what_is_missing_of_a_piece_is_a_sentence(tmp_path: Path) -> None:
    async with rig(tmp_path, "deployed") as azure, azure.session() as plstui:
        run = await plstui.run()
        lab, survey = plstui.lab.workshop, run.survey
    assert lab.provider
    balancer, network = survey.body(lab.provider.balancer), survey.body(lab.provider.network)
    interface = survey.body(lab.provider.interfaces[0])
    assert balancer
    assert network
    assert interface

    del interface["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"]
    network["properties"]["subnets"][0]["properties"]["privateLinkServiceNetworkPolicies"] = "Enabled"
    balancer["properties"]["probes"] = []
    balancer["properties"]["loadBalancingRules"][0]["properties"]["backendPort"] = 8080

    said = {status.step.id: status.because for status in assess(lab.steps, survey)}
    assert {step: said[step] for step in ("probe", "rule", "pool", "policies")} == {
        "probe": "there is no health probe http yet",
        "rule": "the load-balancing rule http is not as the lab needs it "
        "(loadBalancingRules[http].properties.backendPort)",
        "pool": "web1-nic is not in pool saasBackendPool yet",
        "policies": "the private link service policies of subnet saas are not switched off yet",
    }


def test_whether_the_page_comes_is_known_only_to_a_run_that_has_opened_it() -> None:
    lab = made()

    assert assess(lab.steps, Survey())[-1].because == "not opened in this run; only opening it tells"
    assert assess(lab.steps, Survey(), page="timeout")[-1].because == "timeout"
    assert assess(lab.steps, Survey(), page="")[-1].state is StepState.DONE


def test_a_group_that_is_being_deleted_is_waited_for_and_not_built_in() -> None:
    lab = made()
    want = wants(lab)["isv-group"]
    leaving = {"location": "westeurope", "properties": {"provisioningState": "Deleting"}}
    (status, *_) = assess(lab.steps, Survey({want.id: leaving}))

    assert (status.step.number, status.state) == (1, StepState.BLOCKED)
    assert "is being deleted; wait until it is gone" in status.because


def _connection(status: str) -> dict[str, Any]:
    return {"properties": {"privateLinkServiceConnectionState": {"status": status}}}


@pytest.mark.parametrize(
    ("at_service", "at_customer", "lack"),
    [
        ("", "", "there is no request yet"),
        ("", "Pending", "the ISV's service does not show the request yet"),
        ("Pending", "", "the endpoint does not show the request yet"),
        ("Pending", "Pending", "the ISV has not decided on the request yet"),
        ("Approved", "Pending", "the ISV has not decided on the request yet"),
        ("Approved", "Approved", ""),
    ],
)
def test_of_a_request_it_is_said_who_does_not_show_it(at_service: str, at_customer: str, lack: str) -> None:
    lab = made()
    assert lab.provider is not None
    assert lab.consumer is not None
    endpoint = {"id": lab.consumer.endpoint.text}
    listed = {"properties": {**_connection(at_service)["properties"], "privateEndpoint": endpoint}}
    asked = {"provisioningState": "Succeeded", "manualPrivateLinkServiceConnections": [_connection(at_customer)]}
    survey = Survey(
        {
            lab.provider.service: {"properties": {"privateEndpointConnections": [listed] if at_service else []}},
            lab.consumer.endpoint: {"properties": asked} if at_customer else None,
        }
    )
    status = assess(lab.steps, survey)[12]
    assert status.because == lack
