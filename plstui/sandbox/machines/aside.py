"""Work of the machines that takes a while, beside the event loop: everybody else goes on being served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SMALL = 10_000
"""Characters that are worked through sooner than a thread would be woken."""

_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="machines")
"""One for all machines: however many of them work, the event loop gets its half of the time."""


async def aside(size: int, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `work` gives; done in a thread where there are many characters to work through."""
    if size <= SMALL:
        return work(*args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_thread, partial(work, *args, **kwargs))
