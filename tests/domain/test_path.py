"""The way from the client to the page: every hop, and the first that is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, ConnectionStatus
from plstui.domain.path import Hop, HopKind, Path, path_of
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.world import World
from tests.support.lab import Request, lab, with_status

WHOLE = ["client", "endpoint", "connection", "service", "balancer", "rule", "pool", "backend", "backend", "backend"]


def approved(*, down: tuple[str, ...] = ()) -> World:
    return lab(Request(status=APPROVED), down=down)


def the_path(world: World, *results: TargetResult) -> Path:
    [link] = world.links()
    return path_of(world, link, results)


def broken(path: Path) -> Hop | None:
    return None if path.broken_at is None else path.hops[path.broken_at]


def test_a_healthy_way_is_whole() -> None:
    path = the_path(approved())

    assert [hop.kind.value for hop in path.hops] == WHOLE
    assert broken(path) is None
    states = {hop.kind: hop.state for hop in path.hops}
    assert states[HopKind.CONNECTION] == "Approved"
    assert states[HopKind.ENDPOINT] == "10.1.0.5"
    assert states[HopKind.RULE] == "80→80"
    assert states[HopKind.POOL] == "3/3"


@pytest.mark.parametrize("status", [PENDING, REJECTED, DISCONNECTED], ids=str)
def test_what_is_not_approved_is_broken_there(status: ConnectionStatus) -> None:
    hop = broken(the_path(with_status(status)))

    assert hop is not None
    assert (hop.kind, hop.state) == (HopKind.CONNECTION, status.word)


def test_what_the_isv_has_removed_breaks_at_the_connection_and_not_at_its_service() -> None:
    path = the_path(lab(Request(status=DISCONNECTED, at_service=False)))

    assert [hop.kind for hop in path.hops if hop.broken] == [HopKind.CONNECTION]
    assert [hop.kind.value for hop in path.hops] == WHOLE


def test_one_machine_that_is_down_leaves_the_pool_serving() -> None:
    path = the_path(approved(down=("web2",)))

    assert next(hop for hop in path.hops if hop.kind is HopKind.POOL).state == "2/3"
    hop = broken(path)
    assert hop is not None
    assert (hop.kind, hop.name, hop.state) == (HopKind.BACKEND, "web2", "down")


def test_all_down_break_the_pool() -> None:
    hop = broken(the_path(approved(down=("web1", "web2", "web3"))))

    assert hop is not None
    assert (hop.kind, hop.state) == (HopKind.POOL, "0/3")


def test_a_stopped_client_comes_first() -> None:
    world = approved(down=("web2",))
    assert world.customer is not None
    machines = tuple(replace(machine, power_state="deallocated") for machine in world.customer.machines)

    hop = broken(the_path(World(world.isv, replace(world.customer, machines=machines))))

    assert hop is not None
    assert (hop.kind, hop.state) == (HopKind.CLIENT, "deallocated")


@pytest.mark.parametrize("missing", ["rule", "pool", "balancer"])
def test_what_the_isv_has_not_built(missing: str) -> None:
    world = approved()
    assert world.isv is not None
    [balancer] = world.isv.balancers
    left = {
        "rule": (replace(balancer, rules=()),),
        "pool": (replace(balancer, pools=()),),
        "balancer": (),
    }[missing]

    hop = broken(the_path(World(replace(world.isv, balancers=left), world.customer)))

    assert hop is not None
    assert hop.kind.value == missing


def test_one_side_alone_says_what_it_sees() -> None:
    world = approved()

    customer = the_path(World(None, world.customer))
    assert [hop.kind.value for hop in customer.hops] == ["client", "endpoint", "connection", "service"]
    assert customer.hops[-1].tone is Tone.QUIET
    assert broken(customer) is None

    isv = the_path(World(world.isv, None))
    assert [hop.kind.value for hop in isv.hops] == WHOLE[1:]
    assert isv.hops[0].state == ""
    assert broken(isv) is None


def result(kind: TargetKind, where: Hop, failure: Failure | None) -> TargetResult:
    attempt = Attempt(failure=failure, error="no") if failure else Attempt(host="web1", connect_ms=1, first_byte_ms=1)
    endpoint = Request().endpoint_id if kind is TargetKind.NAME else None
    return TargetResult(Target(where.name, kind, where.side, "10.0.0.1", 80, where.id, endpoint), "ssh", (attempt,))


def test_a_probe_says_what_no_list_does() -> None:
    world = approved()
    path = the_path(world)
    backend = next(hop for hop in path.hops if hop.name == "web3")
    endpoint = next(hop for hop in path.hops if hop.kind is HopKind.ENDPOINT)
    name = Hop(HopKind.NAME, Side.CUSTOMER, "saas-pls.tradewinds.internal", "", Tone.QUIET)

    wrong_page = broken(the_path(world, result(TargetKind.BACKEND, backend, Failure.WRONG_PAGE)))
    assert wrong_page is not None
    assert (wrong_page.name, wrong_page.state) == ("web3", "wrong page")

    silent = broken(the_path(world, result(TargetKind.ENDPOINT, endpoint, Failure.TIMEOUT)))
    assert silent is not None
    assert (silent.kind, silent.state) == (HopKind.ENDPOINT, "timeout")

    assert the_path(world, result(TargetKind.ENDPOINT, endpoint, Failure.JUMP)).broken_at is None

    nameless = the_path(world, result(TargetKind.NAME, name, Failure.NOT_FOUND))
    assert nameless.hops[1].state == "name not found"
    assert nameless.broken_at == 1
    assert the_path(world, result(TargetKind.NAME, name, None)).broken_at is None
