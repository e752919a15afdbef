"""A process that builds the lab until it is killed, for the tests that kill it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

from plstui.compose import Composer, Options
from plstui.engine.ports import SystemClock
from plstui.lab.progress import Event, Kind
from tests.lab.rig import Session


def build(config: str, state: str, key: str, last_step: str) -> None:
    """Build the lab, and kill this process as soon as a step is done; `last_step` is its id."""
    os.environ["XDG_STATE_HOME"] = state
    asyncio.run(_build(Path(config), key, _killing(last_step)))


def _killing(last_step: str) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if event.kind is Kind.STEP and event.text == "done" and event.step.id == last_step:
            os.kill(os.getpid(), signal.SIGKILL)

    return tell


async def _build(config: Path, key: str, tell: Callable[[Event], None]) -> None:
    runtime = await Composer(Options(config=config)).connect()
    try:
        await Session(runtime, SystemClock(), key=key, tell=tell).up()
    finally:
        await runtime.close()
