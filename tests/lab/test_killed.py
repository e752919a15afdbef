"""Killed at any moment and run again: the lab ends as it would have without that, and nothing is there twice."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from plstui.sandbox.gateway.messages import Request
from plstui.sandbox.latency import Latency
from tests.lab.builder import build
from tests.lab.rig import KEY, Rig, Session, nothing, rig, undone

LONGEST = 60
"""Seconds that a process may take to begin, work and be gone; a machine may be busy."""

forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.lab.builder"])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Azure holds of a lab that was built in one go."""

    async def built() -> dict[str, Any]:
        async with rig(tmp_path_factory.mktemp("undisturbed")) as azure, azure.session() as plstui:
            await plstui.up()
            return await azure.state()

    return asyncio.run(built())


@asynccontextmanager
async def empty_again(tmp_path: Path, name: str) -> AsyncIterator[Rig]:
    """A new sandbox with nothing in it."""
    folder = tmp_path / name
    folder.mkdir()
    async with rig(folder) as azure:
        yield azure


@dataclass
class Blow:
    """Lets a write be accepted, keeps Azure at work on it, and kills whoever waits for it."""

    azure: Rig
    number: int
    """Of the write, from 1 on."""
    kill: Callable[[], object]
    struck: Request | None = None
    under_way: bool = False
    """Whether Azure was still at work when it fell."""

    def __post_init__(self) -> None:
        self._written = count(1)
        self.azure.before, self.azure.after = self._before, self._after

    async def _before(self, request: Request) -> None:
        if next(self._written) == self.number:
            self.struck = request
            self.azure.sandbox.azure.operations.latency = Latency.AZURE

    async def _after(self, request: Request) -> None:
        if request is self.struck:
            operation = self.azure.sandbox.azure.operations.under_way(request.path)
            self.under_way = operation is not None
            self.kill()


async def finish(azure: Rig, plstui: Session) -> dict[str, Any]:
    """Run again, undisturbed, and give what Azure holds then."""
    azure.sandbox.azure.operations.latency = Latency.NONE
    azure.before = azure.after = nothing
    run = await plstui.up()
    assert list(undone(run.statuses())) == []
    return await azure.state()


async def test_given_up_while_azure_is_at_work_on_any_write(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    blows = []
    for number in count(1):
        async with empty_again(tmp_path, f"write-{number}") as azure, azure.session() as plstui:
            working = asyncio.create_task(plstui.up())
            blow = Blow(azure, number, working.cancel)
            await asyncio.wait([working])
            if not working.cancelled():
                working.result()
                break
            assert await finish(azure, plstui) == undisturbed, blow.struck
        blows.append(blow)

    assert len(blows) == len(azure.written)
    assert sum(blow.under_way for blow in blows) > len(blows) / 2


def killed(azure: Rig, tmp_path: Path, last_step: str = "") -> multiprocessing.process.BaseProcess:
    """A process that builds the lab and kills itself when a step is done."""
    return forks.Process(target=build, args=(str(azure.config), str(tmp_path), KEY, last_step))


async def ended(process: multiprocessing.process.BaseProcess) -> int:
    """How a process ended; this one, with its sandbox in it, goes on meanwhile."""
    await asyncio.to_thread(process.join, LONGEST)
    assert process.exitcode is not None
    return process.exitcode


STEPS = (
    *("isv-group", "isv-network", "machines", "balancer", "probe", "rule", "pool", "policies", "service", "offer"),
    *("customer-network", "endpoint", "approval", "address", "record"),
)


@pytest.mark.parametrize("step", STEPS)
async def test_killed_between_two_steps(step: str, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    async with rig(tmp_path) as azure, azure.session() as plstui:
        process = killed(azure, tmp_path, step)
        process.start()
        assert await ended(process) == -signal.SIGKILL
        assert await finish(azure, plstui) == undisturbed


@pytest.mark.parametrize("what", ["virtualNetworks", "virtualMachines", "loadBalancers", "privateLinkServices"])
async def test_killed_while_azure_is_at_work(what: str, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    async with rig(tmp_path) as azure, azure.session() as plstui:
        process = killed(azure, tmp_path)
        process.start()
        assert process.pid is not None
        pid = process.pid
        blow = Blow(azure, 0, lambda: os.kill(pid, signal.SIGKILL))
        azure.before = _first(what, blow)
        assert await ended(process) == -signal.SIGKILL
        assert blow.under_way
        assert await finish(azure, plstui) == undisturbed


def _first(what: str, blow: Blow) -> Callable[[Request], Any]:
    """Lets the blow fall on the first write to a type."""

    async def before(request: Request) -> None:
        if blow.struck is None and f"/{what}/" in request.path:
            blow.struck = request
            blow.azure.sandbox.azure.operations.latency = Latency.AZURE

    return before
