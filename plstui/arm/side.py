"""One side of Azure, opened: what `compose.py` joins to the engine."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.arm.bodies import Bodies
from plstui.arm.reader import Reader
from plstui.arm.road import Road
from plstui.arm.writer import Writer
from plstui.config.settings import Settings
from plstui.domain.sides import Side


@dataclass(frozen=True, slots=True)
class ArmSide:
    """A subscription to read from and to write to; implements the engine's `Ends`."""

    reader: Reader
    """Closing it gives back what both use."""
    writer: Writer
    bodies: Bodies

    async def get_ready(self) -> None:
        """Make what writes ahead of the first write, which would wait for it."""
        await self.writer.get_ready()


def open_side(settings: Settings, side: Side) -> ArmSide:
    """Make a side ready; nothing is asked of Azure yet. Raises `ConfigError`."""
    road = Road(settings, side)
    return ArmSide(Reader(road), Writer(road), Bodies(road))
