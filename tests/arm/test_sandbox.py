"""Reader and writer against a served sandbox: the whole way, with both sides' sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from plstui.arm.side import ArmSide
from plstui.config.load import load
from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED
from plstui.domain.errors import CredentialsError, NotFoundError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Reading, Tier
from tests.arm.sides import opened
from tests.support.served import PATIENCE, Served, serve


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A pending world that no test here changes."""
    with serve(tmp_path_factory.mktemp("sandbox"), "pending") as served:
        yield served


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "pending") as served:
        yield served


@dataclass(frozen=True)
class Both:
    """Both sides of a served sandbox."""

    isv: ArmSide
    customer: ArmSide


@asynccontextmanager
async def both(served: Served) -> AsyncIterator[Both]:
    settings = load(served.config, environ={})
    async with all_closed(), opened(settings) as isv, opened(settings, Side.CUSTOMER) as customer:
        yield Both(isv, customer)


@asynccontextmanager
async def all_closed() -> AsyncIterator[None]:
    """Wait for the sockets that were opened inside: TLS says goodbye in two directions, and the loop must not end in
    between."""
    watched = asyncio.get_running_loop()._selector.get_map()  # type: ignore[attr-defined]
    before = set(watched)
    yield
    async with asyncio.timeout(PATIENCE):
        while set(watched) - before:  # noqa: ASYNC110 - the loop tells nobody of it.
            await asyncio.sleep(0)


@pytest.fixture
async def readers(looked_at: Served) -> AsyncIterator[Both]:
    async with both(looked_at) as sides:
        yield sides


@pytest.fixture
async def writers(pending: Served) -> AsyncIterator[Both]:
    async with both(pending) as sides:
        yield sides


async def test_each_side_is_read_in_eight_lists(looked_at: Served, readers: Both) -> None:
    def requests() -> dict[str, int]:
        counters: dict[str, int] = looked_at.control("GET", "/counters")
        return counters

    before = requests()
    isv = await readers.isv.reader.read(Tier.ALL)
    asked = {what: count - before.get(what, 0) for what, count in requests().items()}

    assert sum(asked.values()) == 8
    assert {count for count in asked.values() if count} == {1}
    assert {(vm.name, vm.power_state) for vm in isv.resources[Kind.MACHINES]} >= {
        ("web1", "running"),
        ("web2", "running"),
    }
    assert len({vm.zones for vm in isv.resources[Kind.MACHINES] if vm.name.startswith("web")}) == 3
    (balancer,) = isv.resources[Kind.BALANCERS]
    assert balancer.rules[0].probe_id in {probe.id for probe in balancer.probes}
    assert isv.resources[Kind.NETWORKS]
    assert isv.resources[Kind.GROUPS]
    assert isv.resources[Kind.SECURITY_GROUPS]
    assert isv.resources[Kind.INTERFACES]


async def test_both_sides_tell_of_the_same_request(readers: Both) -> None:
    isv = await readers.isv.reader.read(Tier.CONNECTIONS)
    customer = await readers.customer.reader.read(Tier.CONNECTIONS)

    (connection,) = isv.resources[Kind.SERVICES][0].connections
    (endpoint,) = customer.resources[Kind.ENDPOINTS]
    assert connection.status == endpoint.connections[0].status == PENDING
    assert connection.name == f"{endpoint.name}.{endpoint.resource_guid}"
    assert connection.endpoint_id == endpoint.id


async def test_the_balancer_tells_how_its_members_are(readers: Both) -> None:
    balancers = (await readers.isv.reader.read(Tier.MACHINES)).resources[Kind.BALANCERS]

    health = await readers.isv.reader.read_health(balancers)

    assert [member.up for member in health.health[0].members] == [True] * 3
    assert all(member.ip_configuration_id for member in health.health[0].members)


def the_connection(reading: Reading) -> ResourceId:
    (connection,) = reading.resources[Kind.SERVICES][0].connections
    resource_id: ResourceId = connection.id
    return resource_id


async def test_approving_rejecting_and_removing_shows_on_both_sides(writers: Both) -> None:
    reader, writer = writers.isv.reader, writers.isv.writer
    connection_id = the_connection(await reader.read(Tier.CONNECTIONS))

    after = await (await writer.prepare(connection_id, APPROVED, "welcome", expected=PENDING)).send()
    assert after is not None
    assert (after.status, after.description, after.provisioning_state) == (APPROVED, "welcome", "Succeeded")
    assert await reader.read_connection(connection_id) == after
    assert await customers_status(writers) == APPROVED

    with pytest.raises(RefusedError, match="Approved by now"):
        await writer.prepare(connection_id, REJECTED, "no", expected=PENDING)

    await (await writer.prepare(connection_id, REJECTED, "no", expected=APPROVED)).send()
    assert await customers_status(writers) == REJECTED

    assert await (await writer.prepare(connection_id, None, "", expected=REJECTED)).send() is None
    with pytest.raises(NotFoundError):
        await reader.read_connection(connection_id)
    assert await customers_status(writers) == DISCONNECTED


async def customers_status(sides: Both) -> object:
    endpoints = (await sides.customer.reader.read(Tier.CONNECTIONS)).resources[Kind.ENDPOINTS]
    return endpoints[0].connections[0].status


async def test_a_secret_that_is_not_right(looked_at: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("something else")
    secret.chmod(0o600)
    settings = load(looked_at.config, environ={}, override={"isv": {"client_secret_file": str(secret)}})
    async with all_closed(), opened(settings) as side:
        with pytest.raises(CredentialsError, match="AADSTS7000215"):
            await side.reader.read(Tier.ALL)


async def test_a_subscription_that_is_not_there(looked_at: Served) -> None:
    unknown = "99999999-9999-9999-9999-999999999999"
    settings = load(looked_at.config, environ={}, override={"isv": {"subscription": unknown}})
    async with all_closed(), opened(settings) as side:
        with pytest.raises(NotFoundError, match=unknown):
            await side.reader.read(Tier.ALL)
