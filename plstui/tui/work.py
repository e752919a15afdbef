"""What workers run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, ParamSpec

from textual.worker import WorkType

P = ParamSpec("P")


def work(job: Callable[P, Coroutine[Any, Any, None]], *args: P.args, **kwargs: P.kwargs) -> WorkType[None]:
    """A job for a worker, begun when the worker begins: one that is never begun leaves nothing that nobody awaits."""
    return partial(job, *args, **kwargs)
