"""Long-running operations apart from what they do."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.operations import FAILED, Finish, Operation, Operations
from plstui.sandbox.latency import Pace


def start(operations: Operations, finish: Finish, **more: Any) -> Operation:
    return operations.start(finish, Pace(0.0), subscription="s", location="l", api_version="v", **more)


async def test_an_operation_that_meets_an_error_of_ours_has_failed_and_says_so() -> None:
    operations = Operations(SandboxClock())
    told: list[str] = []
    broken = start(operations, lambda: 1 / 0, on_failure=lambda: told.append("failed"))

    with pytest.raises(ZeroDivisionError):
        await operations.settle()
    assert (broken.status, told) == (FAILED, ["failed"])
    assert broken.error is not None
    assert broken.error.status == 500
    operations.close()


async def test_those_that_are_due_with_it_still_end() -> None:
    operations = Operations(SandboxClock())
    start(operations, lambda: 1 / 0)
    good = start(operations, lambda: "output")

    with pytest.raises(ZeroDivisionError):
        await operations.settle()
    await operations.settle()
    assert good.output == "output"
    operations.close()
