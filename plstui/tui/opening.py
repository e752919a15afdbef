"""The first frame: the frames of the main screen, empty. It needs nothing that takes long to import."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from plstui.domain.sides import Side
from plstui.tui.messages import Painted


class OpeningScreen(Screen[None]):
    """Stands where the main screen will, until that is imported."""

    CSS_PATH = "styles/opening.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit", id="quit")]

    def __init__(self, where: str, quit_key: str) -> None:
        super().__init__()
        self._where = where
        self._quit_key = quit_key

    def on_mount(self) -> None:
        self.call_after_refresh(self.post_message, Painted())

    def compose(self) -> ComposeResult:
        yield Static(Content(f"plstui  Azure Private Link  ·  {self._where}"), classes="bar")
        with Horizontal():
            for side in Side:
                frame = Static("Connecting…", classes="frame")
                frame.border_title = Content(f"{side.marker} {side.label}")
                yield frame
        yield Static(classes="frame")
        yield Static()
        yield Static(Content(f"{self._quit_key} Quit"), classes="bar")
