"""From which machine targets are asked when Azure has to run what asks."""

from __future__ import annotations

from dataclasses import replace

from plstui.domain.connection import APPROVED
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Target, TargetKind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.targets import frontends, targets
from plstui.domain.vantage import starting_points
from plstui.domain.world import World
from tests.support.lab import with_status


def world() -> World:
    return with_status(APPROVED)


def everything(seen: World) -> tuple[Target, ...]:
    name = Target("saas", TargetKind.NAME, Side.CUSTOMER, "saas-pls.tradewinds.internal", 80)
    return (*targets(seen), *frontends(seen), name)


def starts(seen: World, asked: tuple[Target, ...] | None = None) -> dict[str, list[str]]:
    """Names of the targets by the machine's name."""
    found = starting_points(seen, asked if asked is not None else everything(seen))
    return {machine.name: [target.name for target in wanted] for machine, wanted in found.items()}


def switched_off(side: Snapshot, *names: str) -> Snapshot:
    machines = (replace(m, power_state="deallocated") if m.name in names else m for m in side.machines)
    return replace(side, machines=tuple(machines))


def isv(seen: World) -> Snapshot:
    assert seen.isv is not None
    return seen.isv


def customer(seen: World) -> Snapshot:
    assert seen.customer is not None
    return seen.customer


def test_the_customers_targets_from_the_test_machine_and_the_isvs_from_the_first_backend() -> None:
    assert starts(world()) == {
        "web1": ["web1", "web2", "web3", "loadBalancer"],
        "testVM": ["saasPrivateEndpoint", "saas"],
    }


def test_a_machine_that_does_not_run_asks_nothing() -> None:
    seen = world()
    assert list(starts(replace(seen, isv=switched_off(isv(seen), "web1", "web2")))) == ["web3", "testVM"]
    assert list(starts(replace(seen, customer=switched_off(customer(seen), "testVM")))) == ["web1"]
    assert starts(World(seen.isv, None)) == {"web1": ["web1", "web2", "web3", "loadBalancer"]}


def test_a_machine_that_is_no_backend_is_asked_last() -> None:
    seen = world()
    first, nic = isv(seen).machines[0], isv(seen).interfaces[0]
    card = replace(nic, id=ResourceId(f"{nic.id.text}-db"), machine_id=ResourceId(f"{first.id.text}-db"))
    database = replace(first, id=ResourceId(f"{first.id.text}-db"), name="a-db", interface_ids=(card.id,))
    both = replace(isv(seen), machines=(database, *isv(seen).machines), interfaces=(card, *isv(seen).interfaces))
    assert list(starts(replace(seen, isv=both))) == ["web1", "testVM"]
    alone = switched_off(both, "web1", "web2", "web3")
    assert list(starts(replace(seen, isv=alone))) == ["web1-db", "testVM"]


def test_a_machine_in_another_network_is_no_start() -> None:
    seen = world()
    elsewhere = replace(
        customer(seen),
        endpoints=tuple(
            replace(
                e, subnet_id=ResourceId(e.subnet_id.text.replace("spoke-vnet", "other-vnet")) if e.subnet_id else None
            )
            for e in customer(seen).endpoints
        ),
    )
    assert list(starts(replace(seen, customer=elsewhere))) == ["web1"]


def test_a_name_without_an_endpoint_that_is_asked_has_no_start() -> None:
    seen = world()
    assert starts(seen, everything(seen)[-1:]) == {}
