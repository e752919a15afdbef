"""What another feature brings into the main screen."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.reactive import var
from textual.widget import Widget

from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from plstui.tui.state import ProbeRun


class Section(Widget):
    """A part of the main screen that is told what the panes know, does its work when asked to, and keeps what comes."""

    TITLE: ClassVar[str]
    STYLE: ClassVar[Path]
    """Its style sheet."""

    world: var[World] = var(World)
    """Both sides as they are now."""
    probe: var[ProbeRun] = var(ProbeRun)
    """The last probe."""
    busy: var[bool] = var(False)
    """Whether it is at work."""

    @abstractmethod
    def start(self, runtime: Runtime, at: datetime) -> None:
        """Begin to work, at this time of day; nothing happens while it is busy."""

    @property
    def step(self) -> str:
        """The id of the step of the lab that mends what a person looks at here; empty without one."""
        return ""
