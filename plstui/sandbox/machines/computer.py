"""What the programs of a machine know of the machine they run in."""

from __future__ import annotations

import asyncio

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines.disk import Disk
from plstui.sandbox.machines.image import Image


class Computer:
    """Its name, its image, its clock and its disk."""

    def __init__(self, computer_name: str, image: Image, clock: SandboxClock) -> None:
        self.computer_name = computer_name
        self.image = image
        self.clock = clock
        self.disk = Disk()
        self.answering = asyncio.Event()
        """Set unless the machine hangs: whatever runs in it waits for this."""
        self.answering.set()
