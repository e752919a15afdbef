"""What is probed, and how results add up."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.domain.connection import APPROVED, DISCONNECTED
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult, all_well
from plstui.domain.resources import BackendAddress
from plstui.domain.sides import Side
from plstui.domain.targets import frontends, targets
from plstui.domain.world import World
from tests.support.lab import ENDPOINT_ADDRESS, Request, empty, lab, with_status

TARGET = Target("web1", TargetKind.BACKEND, Side.ISV, "10.0.1.4", 80)


def result(*attempts: Attempt) -> TargetResult:
    return TargetResult(TARGET, "ssh web1", attempts)


def test_every_backend_and_every_endpoint_is_a_target() -> None:
    assert [(t.name, t.kind, t.side, t.address, t.port) for t in targets(with_status(APPROVED))] == [
        ("web1", TargetKind.BACKEND, Side.ISV, "10.0.1.4", 80),
        ("web2", TargetKind.BACKEND, Side.ISV, "10.0.1.5", 80),
        ("web3", TargetKind.BACKEND, Side.ISV, "10.0.1.6", 80),
        ("saasPrivateEndpoint", TargetKind.ENDPOINT, Side.CUSTOMER, ENDPOINT_ADDRESS, 80),
    ]


def test_an_endpoint_is_probed_in_any_state_while_it_has_an_address() -> None:
    assert [t.kind for t in targets(lab())].count(TargetKind.ENDPOINT) == 1
    assert [t.kind for t in targets(with_status(DISCONNECTED, at_service=False))].count(TargetKind.ENDPOINT) == 1
    assert [t.kind for t in targets(lab(Request(address="")))].count(TargetKind.ENDPOINT) == 0


def test_one_side_alone_is_probed_as_far_as_it_goes() -> None:
    world = with_status(APPROVED)

    assert [t.name for t in targets(World(world.isv, None))] == ["web1", "web2", "web3"]
    assert [(t.name, t.port) for t in targets(World(None, world.customer))] == [("saasPrivateEndpoint", 80)]
    assert targets(empty()) == ()


def test_the_ports_are_the_rules() -> None:
    world = with_status(APPROVED)
    assert world.isv is not None
    [balancer] = world.isv.balancers
    [rule] = balancer.rules
    second = replace(rule, id=rule.id.child("x", "admin"), name="admin", frontend_port=8443, backend_port=9443)
    two = replace(world, isv=replace(world.isv, balancers=(replace(balancer, rules=(rule, second)),)))

    assert [(t.name, t.port) for t in targets(two)] == [
        *((name, port) for name in ("web1", "web2", "web3") for port in (80, 9443)),
        ("saasPrivateEndpoint", 80),
        ("saasPrivateEndpoint", 8443),
    ]


def test_a_balancer_is_asked_at_its_frontend_and_the_machines_behind_it_are_known() -> None:
    world = with_status(APPROVED)
    assert world.isv is not None
    [balancer] = world.isv.balancers
    [found] = frontends(world)
    assert (found.name, found.kind, found.side) == ("loadBalancer", TargetKind.BALANCER, Side.ISV)
    assert (found.address, found.port) == (balancer.frontends[0].private_ip_address, 80)
    assert found.behind == {"web1", "web2", "web3", "10.0.1.4", "10.0.1.5", "10.0.1.6"}

    silent = replace(balancer, rules=())
    assert frontends(replace(world, isv=replace(world.isv, balancers=(silent,)))) == ()
    assert frontends(World(None, world.customer)) == ()


def test_frontends_of_one_balancer_have_names_of_their_own_and_members_by_address_count() -> None:
    world = with_status(APPROVED)
    assert world.isv is not None
    [balancer] = world.isv.balancers
    [frontend], [rule], [pool] = balancer.frontends, balancer.rules, balancer.pools
    second = replace(frontend, id=ResourceId(f"{frontend.id.text}-2"), name="second", private_ip_address="10.0.1.99")
    by_address = replace(
        pool, id=ResourceId(f"{pool.id.text}-2"), member_ids=(), addresses=(BackendAddress("one", "10.0.1.77"),)
    )
    other = replace(rule, frontend_id=second.id, frontend_port=8080, pool_id=by_address.id)
    two = replace(balancer, frontends=(frontend, second), rules=(rule, other), pools=(pool, by_address))
    found = frontends(replace(world, isv=replace(world.isv, balancers=(two,))))
    assert [(t.name, t.address, t.port) for t in found] == [
        ("loadBalancer/loadBalancerFrontEnd", frontend.private_ip_address, 80),
        ("loadBalancer/second", "10.0.1.99", 8080),
    ]
    assert found[1].behind == {"10.0.1.77"}


def test_an_attempt_that_tells_nothing_is_neither_well_nor_a_failure() -> None:
    nothing = Attempt(error="It was balanced to the machine itself.")
    mixed = result(Attempt(host="web2"), nothing)
    assert (mixed.ok, mixed.failures, mixed.error, mixed.untold) == (True, {}, "", nothing.error)
    assert (result(nothing).ok, result(nothing).silent, mixed.silent) == (False, True, False)
    failed = result(Attempt(failure=Failure.JUMP), nothing)
    assert (failed.ok, failed.silent, result().ok, result().silent) == (False, False, False, False)


def test_what_tells_nothing_is_left_out_of_the_verdict_and_is_not_enough_for_one() -> None:
    page, silent = result(Attempt(host="web2")), result(Attempt(error="It tells nothing."))
    assert all_well([page, silent])
    assert not all_well([silent])
    assert not all_well([])
    assert not all_well([page, silent, result(Attempt(failure=Failure.JUMP))])


def test_a_service_of_the_same_name_elsewhere_has_ports_of_its_own() -> None:
    world = with_status(APPROVED)
    assert world.isv is not None
    [balancer], [service] = world.isv.balancers, world.isv.services
    [frontend], [rule] = balancer.frontends, balancer.rules
    elsewhere = ResourceId(f"{frontend.id.text}-2")
    second = replace(rule, id=rule.id.child("x", "admin"), frontend_port=8443, frontend_id=elsewhere)
    twin_id = ResourceId(service.id.text.replace("/resourceGroups/", "/resourceGroups/other-"))
    twin = replace(service, id=twin_id, alias="twin", connections=(), frontend_ids=(elsewhere,))
    isv = replace(world.isv, balancers=(replace(balancer, rules=(rule, second)),), services=(service, twin))

    ports = [t.port for t in targets(replace(world, isv=isv)) if t.kind is TargetKind.ENDPOINT]
    assert ports == [80]


def test_a_member_without_a_machine_goes_by_its_interface() -> None:
    world = lab()
    assert world.isv is not None
    unknown = replace(world, isv=replace(world.isv, machines=()))

    assert [t.name for t in targets(unknown)][:3] == ["web1-nic", "web2-nic", "web3-nic"]


def test_hosts_and_failures_are_counted() -> None:
    mixed = result(
        Attempt(host="web2", connect_ms=2.0, first_byte_ms=4.0),
        Attempt(failure=Failure.TIMEOUT, error="No answer within 5 s."),
        Attempt(host="web1", connect_ms=1.0, first_byte_ms=3.0),
        Attempt(host="web2", connect_ms=3.0, first_byte_ms=5.0),
        Attempt(failure=Failure.REFUSED, error="Refused.", connect_ms=None),
    )

    assert mixed.hosts == {"web1": 1, "web2": 2}
    assert mixed.failures == {"refused": 1, "timeout": 1}
    assert mixed.error == "No answer within 5 s."
    assert [mixed.error_of(kind) for kind in mixed.failures] == ["Refused.", "No answer within 5 s."]
    assert not mixed.ok
    assert mixed.connect_ms == (2.0, 3.0)
    assert mixed.first_byte_ms == (4.0, 5.0)


def test_nothing_tried_is_not_well() -> None:
    nothing = result()

    assert not nothing.ok
    assert nothing.connect_ms is None
    assert nothing.first_byte_ms is None
    assert nothing.error == ""


@pytest.mark.parametrize(
    ("values", "p50", "p95"),
    [
        ([7.0], 7, 7),
        ([1.0, 2.0], 1, 2),
        ([1.0, 2.0, 3.0], 2, 3),
        ([float(n) for n in range(1, 21)], 10, 19),
        ([float(n) for n in range(1, 101)], 50, 95),
    ],
)
def test_percentiles_by_nearest_rank(values: list[float], p50: float, p95: float) -> None:
    measured = result(*(Attempt(host="web1", connect_ms=value) for value in reversed(values)))

    assert measured.connect_ms == (p50, p95)


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200))
def test_percentiles_are_values_that_were_measured(values: list[float]) -> None:
    measured = result(*(Attempt(host="web1", connect_ms=value) for value in values)).connect_ms

    assert measured is not None
    p50, p95 = measured
    assert p50 in values
    assert p95 in values
    assert sum(value <= p50 for value in values) >= len(values) / 2
    assert sum(value <= p95 for value in values) >= len(values) * 0.95 - 1e-9
    assert p50 <= p95
