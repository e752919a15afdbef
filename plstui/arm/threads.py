"""Calls that block, made in a thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def in_daemon(call: Callable[[], Result]) -> Result:
    """What a call returns or raises. Who gives up waiting is not kept by it.

    A daemon thread each time: `az`, or a person with a browser, may take minutes and must not hold up quitting.
    """
    answer: Future[Result] = Future()

    def run() -> None:
        answer.set_running_or_notify_cancel()
        try:
            answer.set_result(call())
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for the answer
            answer.set_exception(error)

    Thread(target=run, name="plstui", daemon=True).start()
    return await asyncio.wrap_future(answer)
