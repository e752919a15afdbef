"""Where the words are typed that the connections are filtered by."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from plstui.tui.messages import FilterLeft, FilterTyped


class FilterLine(Input):
    """Takes the place of the command bar while somebody types; every key filters at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", "All", show=False),
        Binding("down", "submit", "To the table", show=False),
    ]

    def __init__(self, key: str) -> None:
        """`key` is the one that leads here."""
        super().__init__(
            placeholder=f"{key} words of status, endpoint, message or service   Enter keep   Esc show all",
            compact=True,
            select_on_focus=False,
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(FilterTyped(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(FilterLeft())

    def on_blur(self, event: events.Blur) -> None:
        """Whoever goes elsewhere keeps what is typed."""
        self.post_message(FilterLeft())

    def action_drop(self) -> None:
        """Forget what is typed."""
        self.value = ""
        self.post_message(FilterLeft())
