"""Everything about one resource."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.tui.details import LONGEST, Details
from plstui.tui.dialog import Dialog
from plstui.tui.tones import styled
from plstui.tui.widgets.az_line import AzLine


class DetailsScreen(Dialog[None]):
    """Names and values, the id, and the `az` line that shows the same."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "dismiss", "Close"),
        Binding("i", "dismiss", "Close", id="details"),
        Binding("q", "dismiss", "Close", id="quit"),
        Binding("y", "copy_az", "Copy the az line", id="copy"),
        Binding("c", "copy_id", "Copy the id"),
    ]

    def __init__(self, details: Details, copy_key: str) -> None:
        """`copy_key` is the key that copies az commands."""
        super().__init__()
        self._details = details
        self._copy_key = copy_key

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._details.title)
            copy_az = f"{self._copy_key} copy az · " if self._details.az else ""
            dialog.border_subtitle = Content(f"Esc close · {copy_az}c copy id")
            with VerticalScroll(), Grid(classes="facts"):
                for line in self._details.lines:
                    if line.text:
                        yield Static(styled(clean(line.name, 60), Tone.QUIET))
                        yield Static(styled(clean(line.text, LONGEST), line.tone))
            if self._details.az:
                with VerticalScroll(can_focus=False, classes="foot"):
                    yield AzLine(self._details.az)

    def action_copy_az(self) -> None:
        """Copy the command that shows this resource."""
        if self._details.az:
            self._copy(self._details.az, "The az line")
        else:
            self.tell("There is no az command for this.")

    def action_copy_id(self) -> None:
        """Copy the resource's id."""
        self._copy(self._details.id, "The id")

    def _copy(self, text: str, what: str) -> None:
        self.app.copy_to_clipboard(text)
        self.tell(f"{what} is in the clipboard, if your terminal allows that.")
