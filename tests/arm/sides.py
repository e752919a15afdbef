"""Opening a side for as long as a test needs it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from plstui.arm.side import ArmSide, open_side
from plstui.config.settings import Settings
from plstui.domain.sides import Side


@asynccontextmanager
async def opened(settings: Settings, side: Side = Side.ISV) -> AsyncIterator[ArmSide]:
    """A side, closed again whatever happens."""
    arm = open_side(settings, side)
    try:
        yield arm
    finally:
        await arm.reader.close()
