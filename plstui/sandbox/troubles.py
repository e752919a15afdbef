"""What the operating system or a client does to a running sandbox: one sentence, where there is anything to say."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

QUIET = 60.0
"""Seconds in which the same trouble is not told again: a socket that cannot be opened is tried every second."""
FILES = 65_536
"""Open files that a sandbox asks for; each connection to a machine takes two, and some systems begin with 256."""


def watch(loop: asyncio.AbstractEventLoop) -> None:
    """Tell of trouble in a sentence instead of a traceback, and ask for more open files than systems begin with."""
    loop.set_exception_handler(_Teller())
    # asyncio warns of every byte for a client that has just gone; clients of a sandbox come and go.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def told(work: Callable[[], None], what: str) -> Callable[[], None]:
    """`work`, which at a failure of the operating system says so and lets everything else go on."""

    def do() -> None:
        try:
            work()
        except OSError as error:
            asyncio.get_running_loop().call_exception_handler({"message": what, "exception": error})

    return do


class _Teller:
    """An exception handler for an event loop."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, OSError):
            loop.default_exception_handler(context)
            return
        if isinstance(error, ConnectionError):
            # Somebody has gone. They may.
            return
        what = "Nobody can connect to the sandbox" if "accept" in context["message"] else context["message"]
        sentence = f"{what}: {error.strerror or 'the operating system says no'}."
        now = monotonic()
        if now - self._told.get(sentence, -QUIET) >= QUIET:
            self._told[sentence] = now
            sys.stderr.write(f"plstui: {sentence}\n")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether an error that was logged is a mistake of ours; bytes that are no HTTP are their sender's."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError | web.RequestPayloadError | ConnectionError)
