"""The questions of the lab: a list of what will happen, and yes or no."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from plstui.domain.states import Tone
from plstui.tui.dialog import AnswerButton, Dialog
from plstui.tui.tones import styled
from plstui.tui.widgets.az_line import AzLine


class QuestionScreen(Dialog[bool]):
    """Gives back whether the answer is yes. What will happen is told in two columns, a name and what it is about.

    Enter says yes, unless it is `dangerous`: then the focus stays on no, and `y` and a click say yes. Where something
    must be typed, only those very words and Enter say yes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer(False)", "No"),
        Binding("y", "yes", "Yes"),
    ]

    def __init__(
        self,
        title: str,
        facts: Sequence[tuple[str, Content]],
        yes: str,
        *,
        no: str = "Cancel",
        warning: str = "",
        dangerous: bool = False,
        typed: str = "",
        az: str = "",
    ) -> None:
        super().__init__(classes="-dangerous" if dangerous else "")
        self._title = title
        self._facts = facts
        self._yes = yes
        self._no = no
        self._warning = warning
        self._dangerous = dangerous
        self._typed = typed
        self._az = az

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._title)
            with VerticalScroll(can_focus=False):
                if self._warning:
                    # First, so that nobody has to scroll to it.
                    yield Static(styled(f"! {self._warning}\n", Tone.WAITING))
                with Grid(classes="facts"):
                    for name, value in self._facts:
                        yield Static(styled(name, Tone.QUIET))
                        yield Static(value)
                if self._az:
                    yield AzLine(self._az)
            if self._typed:
                yield Input(placeholder=self._typed, compact=True)
            with Horizontal(classes="buttons"):
                if self._yes:
                    key = "y" if self._dangerous and not self._typed else "Enter"
                    yes = AnswerButton(f"{self._yes} ({key})", id="yes", compact=True)
                    # Tab and Enter, pressed out of habit, must not destroy.
                    yes.can_focus = not self._dangerous
                    yield yes
                yield AnswerButton(f"{self._no} (Esc)", id="no", compact=True)

    def on_mount(self) -> None:
        self.query("Input" if self._typed else "#no" if self._dangerous or not self._yes else "#yes").focus()

    @on(Button.Pressed, "#no")
    def _refuse(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed, "#yes")
    @on(Input.Submitted)
    def _agree(self) -> None:
        self.action_yes()

    def action_answer(self, answer: bool) -> None:
        """Close with an answer."""
        self.dismiss(answer)

    def action_yes(self) -> None:
        """Yes, unless something else must be typed first."""
        if not self._yes:
            self.dismiss(False)
        elif self._typed and self.query_one(Input).value.strip().lower() != self._typed.lower():
            self.tell(f"Type {self._typed} to go on, or press Esc.")
        else:
            self.dismiss(True)
