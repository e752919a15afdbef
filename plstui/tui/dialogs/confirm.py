"""The question before a write: what, where, and the `az` line that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from plstui.domain.connection import Connection, Verb
from plstui.domain.decision import MAX_DESCRIPTION, Decision
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import Link
from plstui.tui.dialog import AnswerButton, Dialog
from plstui.tui.tones import styled, toned_badge
from plstui.tui.widgets.az_line import AzLine


class ConfirmScreen(Dialog[Decision | None]):
    """Gives back the decision to send, or None for no.

    Enter says yes to approve and reject. A removal keeps the focus on `Keep`, so that no Enter removes; `y` and a
    click do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("y", "yes", "Yes"),
    ]

    def __init__(self, decision: Decision, connection: Connection, link: Link) -> None:
        """`connection` is what the service reported a moment ago."""
        super().__init__(classes=f"-{decision.verb.value}")
        self._decision = decision
        self._connection = connection
        self._link = link
        self._removes = decision.verb is Verb.REMOVE

    def compose(self) -> ComposeResult:
        verb = self._decision.verb.value.capitalize()
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"{verb} this connection?")
            with VerticalScroll(can_focus=False):
                with Grid(classes="facts"):
                    for name, value in self._facts():
                        yield Static(styled(name, Tone.QUIET))
                        yield Static(value)
                    if not self._removes:
                        yield Static(styled("Description", Tone.QUIET))
                        yield Input(self._decision.description, max_length=MAX_DESCRIPTION, compact=True)
                if warning := self._decision.warning:
                    yield Static(styled(f"! {warning}", Tone.WAITING), classes="warning")
                yield AzLine(self._decision.az)
            with Horizontal(classes="buttons"):
                yes = AnswerButton(f"{verb} (y)" if self._removes else f"{verb} (Enter)", id="yes", compact=True)
                # Tab and Enter, pressed out of habit, must not remove: the button is there for the mouse.
                yes.can_focus = not self._removes
                yield yes
                yield AnswerButton("Keep (Esc)" if self._removes else "Cancel (Esc)", id="no", compact=True)

    def on_mount(self) -> None:
        # None is there when the program is left in the moment that this opens.
        self.query("#no" if self._removes else "Input").focus()

    def _facts(self) -> Iterator[tuple[str, Content]]:
        connection = self._connection
        service = connection.service_id
        yield "Endpoint", Content(clean(self._link.endpoint_name, 80))
        yield "Status", toned_badge(connection.status.word)
        yield "Message", Content(clean(self._link.message or connection.description, 300) or "none")
        yield "Service", Content(clean(service.name, 80))
        yield "Group", Content(clean(service.resource_group, 90))
        yield "Subscription", Content(f"{Side.ISV.marker} {Side.ISV.label}  {clean(service.subscription, 60)}")

    def _agreed(self) -> Decision:
        return self._decision if self._removes else self._decision.described(self.query_one(Input).value)

    @on(Input.Changed)
    def _show_az(self) -> None:
        self.query_one(AzLine).line = self._agreed().az

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _confirm(self) -> None:
        self.dismiss(self._agreed())

    @on(Button.Pressed, "#no")
    def _refuse(self) -> None:
        self.dismiss(None)

    def action_cancel(self) -> None:
        """No: nothing is sent."""
        self.dismiss(None)

    def action_yes(self) -> None:
        """Yes, for a removal and where no text is being typed."""
        self.dismiss(self._agreed())
