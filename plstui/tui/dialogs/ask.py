"""A question that comes up while a probe connects: a passphrase, or whether a machine is the right one."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from plstui.domain.question import Question
from plstui.tui.dialog import AnswerButton, Dialog


class AskScreen(Dialog[str | None]):
    """Gives back the secret, or an empty text for yes; None for no.

    Nothing is trusted by an Enter pressed out of habit: `y` and a click say yes. A secret is typed unseen, and sent by
    Enter.
    """

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "no", "No"),
        Binding("y", "yes", "Yes"),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question
        self._withdrawn = False

    def compose(self) -> ComposeResult:
        question = self._question
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(question.title)
            with VerticalScroll(can_focus=False):
                yield Static(Content(question.text))
                if question.secret:
                    yield Input(password=True, compact=True)
            with Horizontal(classes="buttons"):
                yes = AnswerButton(f"{question.yes} ({'Enter' if question.secret else 'y'})", id="yes", compact=True)
                yes.can_focus = False
                yield yes
                yield AnswerButton("No (Esc)", id="no", compact=True)

    def on_mount(self) -> None:
        self.query("Input" if self._question.secret else "#no").focus()

    def withdraw(self) -> None:
        """Go away, as nobody waits for an answer any more: now, or once nothing stands over this."""
        self._withdrawn = True
        self.call_later(self._go_away)

    @on(events.ScreenResume)
    def _go_away(self) -> None:
        if self._withdrawn and self.is_active:
            self.dismiss(None)

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _confirm(self) -> None:
        # Nothing typed is no secret.
        self.dismiss((self.query_one(Input).value or None) if self._question.secret else "")

    @on(Button.Pressed, "#no")
    def _refuse(self) -> None:
        self.dismiss(None)

    def action_no(self) -> None:
        """No."""
        self.dismiss(None)

    def action_yes(self) -> None:
        """Yes, where nothing is typed."""
        if not self._question.secret:
            self.dismiss("")
