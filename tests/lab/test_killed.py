"""Killed at any moment and run again: the lab ends as it would have without that, and nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from plstui.sandbox.gateway.messages import Request
from plstui.sandbox.latency import Latency
from tests.lab.rig import KEY, Rig, Session, nothing, rig, undone
from tests.support.served import PATIENCE, environment


@asynccontextmanager
async def running(azure: Rig, *arguments: str, stdout: int = DEVNULL) -> AsyncIterator[Process]:
    """The command that builds the lab, as somebody runs it from a shell."""
    key = azure.folder / "key.pub"
    key.write_text(KEY)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plstui", "--config", str(azure.config), "lab", "up", "--approve", *arguments),
        env={**environment(azure.folder), "PLSTUI_LAB_PUBLIC_KEY": str(key)},
        stdin=DEVNULL,
        stdout=stdout,
        stderr=PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def lines(azure: Rig, process: Process) -> AsyncIterator[str]:
    """What a command says of its progress, line by line as it comes."""
    assert process.stderr is not None
    async for line in process.stderr:
        if b"waiting for " in line:
            # Azure is still at work for somebody who was killed; it need not take that long.
            azure.sandbox.azure.clock.advance(60)
        yield line.decode().rstrip()


async def up(azure: Rig) -> dict[str, Any]:
    """Build what is missing, undisturbed, and give what Azure holds then."""
    async with running(azure, "--json") as process:
        said = [line async for line in lines(azure, process)]
        assert await process.wait() == 0, said
    return await azure.state()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Azure holds of a lab that was built in one go."""

    async def built() -> dict[str, Any]:
        async with rig(tmp_path_factory.mktemp("undisturbed")) as azure:
            return await up(azure)

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
    """Lets a write be accepted, keeps Azure at work on it, and ends whoever waits for it."""

    azure: Rig
    falls_on: Callable[[Request], bool]
    end: Callable[[], object]
    struck: Request | None = None
    under_way: bool = False
    """Whether Azure was still at work when it fell."""

    def __post_init__(self) -> None:
        self.azure.before, self.azure.after = self._before, self._after

    async def _before(self, request: Request) -> None:
        if self.struck is None and self.falls_on(request):
            self.struck = request
            self.azure.sandbox.azure.operations.latency = Latency.AZURE

    async def _after(self, request: Request) -> None:
        if request is self.struck:
            self.azure.sandbox.azure.operations.latency = Latency.NONE
            self.under_way = self.azure.sandbox.azure.operations.under_way(request.path) is not None
            self.end()


async def finish(azure: Rig, plstui: Session) -> dict[str, Any]:
    """Run again, undisturbed, and give what Azure holds then."""
    azure.before = azure.after = nothing
    run = await plstui.up()
    assert list(undone(run.statuses())) == []
    return await azure.state()


async def test_given_up_while_azure_is_at_work_on_any_write(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    blows = []
    for number in count(1):
        async with empty_again(tmp_path, f"write-{number}") as azure, azure.session() as plstui:
            working = asyncio.create_task(plstui.up())
            blow = Blow(azure, _nth(number), working.cancel)
            await asyncio.wait([working])
            if not working.cancelled():
                working.result()
                break
            assert await finish(azure, plstui) == undisturbed, blow.struck
        blows.append(blow)

    assert len(blows) == len(azure.written)
    assert sum(blow.under_way for blow in blows) > len(blows) / 2


def _is_of(name: str, request: Request) -> bool:
    return request.path.endswith(name)


def _nth(number: int) -> Callable[[Request], bool]:
    """Whether a write is the one of this number, from 1 on."""
    written = count(1)
    return lambda _: next(written) == number


DONE = re.compile(r" *[\d.]+ s  \S+ +(\d+)  .+: done")
"""The line that says that a step is done."""

BY_THE_WAY = {10, 14}
"""The steps that come true with the one before them: the alias is there with the service, the address with the yes."""


@contextmanager
def full() -> Iterator[int]:
    """A pipe that nobody reads and that holds no more: whoever writes to it goes no further."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(4096))
        os.set_blocking(writing, True)
        yield writing
    finally:
        os.close(reading)
        os.close(writing)


async def end_with(azure: Rig, number: int, stdout: int) -> int:
    """How the command ends that is killed as soon as it says that a step is done."""
    async with running(azure, "--until", str(number), "--json", stdout=stdout) as process:
        async for line in lines(azure, process):
            if (done := DONE.fullmatch(line)) and int(done[1]) == number:
                process.kill()
        return await process.wait()


async def test_killed_with_the_last_word_of_every_step(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    ends = {}
    async with rig(tmp_path) as azure:
        for number in range(1, 16):
            # The document at its end would be the next that it has to say: it shall not get away before it is killed.
            with nullcontext(DEVNULL) if number in BY_THE_WAY else full() as stdout:
                ends[number] = await end_with(azure, number, stdout)
        assert ends == {number: 0 if number in BY_THE_WAY else -signal.SIGKILL for number in range(1, 16)}
        assert await up(azure) == undisturbed


AMID = {
    "2": "virtualNetworks/virtualNetwork",
    "3": "virtualMachines/web2",
    "4": "loadBalancers/loadBalancer",
    "9": "privateLinkServices/saasPrivateLinkService",
    "11": "virtualMachines/testVM",
    "12": "privateEndpoints/saasPrivateEndpoint",
}
"""What Azure has just begun to work on when the command is killed in the midst of a step, by the step's number."""


async def test_killed_while_azure_is_at_work(tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    async with rig(tmp_path) as azure:
        for number, name in AMID.items():
            async with running(azure, "--until", number, "--json") as process:
                blow = Blow(azure, partial(_is_of, name), process.kill)
                said = [line async for line in lines(azure, process)]
                assert await process.wait() == -signal.SIGKILL, said
                assert blow.under_way
        azure.before = azure.after = nothing
        assert await up(azure) == undisturbed
