"""`plstui lab` says what it asks Azure for before any answer has come, and what it asks for again."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

import pytest

from plstui.sandbox.gateway.messages import Request, Response
from tests.lab.rig import KEY, Rig, rig
from tests.support.served import environment


async def lab(az: Rig, *arguments: str) -> Process:
    """A `plstui lab` that is attached to a sandbox in this process."""
    keys = az.folder / ".ssh"
    keys.mkdir()
    (keys / "id_ed25519.pub").write_text(f"{KEY}\n")
    command = [sys.executable, "-m", "plstui", "--config", str(az.config), "lab", *arguments]
    return await asyncio.create_subprocess_exec(
        *command, env=environment(az.folder), stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


@pytest.mark.parametrize(
    "command",
    ["status --json", "plan --json", "up --until 13 --json", "down --yes --json", "undo 12 --yes --json"],
)
async def test_the_first_line_comes_before_the_first_answer(tmp_path: Path, command: str) -> None:
    async with rig(tmp_path, "pending") as az:
        answers, held = asyncio.Event(), asyncio.Event()

        async def hold(_: Request) -> Response | None:
            held.set()
            await answers.wait()
            return None

        az.meddle = hold
        process = await lab(az, *command.split())
        assert process.stderr is not None
        line = (await process.stderr.readline()).decode()
        await held.wait()
        process.terminate()
        answers.set()
        stdout, _ = await process.communicate()

    assert line.startswith("Asking Azure what there is "), line
    assert stdout == b"", "and not among what a script reads"
    assert az.written == []


async def test_what_is_asked_for_again_is_said(tmp_path: Path) -> None:
    async with rig(tmp_path, "pending") as az:
        refused: list[str] = []

        async def refuse_once(request: Request) -> Response | None:
            if "resourceGroups/" not in request.path or refused:
                return None
            refused.append(request.path)
            return Response(429, {"error": {"code": "TooManyRequests", "message": "Slow down."}}, {"Retry-After": "1"})

        az.meddle = refuse_once
        process = await lab(az, "status")
        _, stderr = await process.communicate()

    assert "TooManyRequests: Slow down. Trying again in 1 s." in stderr.decode()
