"""The dialogs about the tags of a service: what to change, and whether to."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from plstui.domain.change import Body
from plstui.domain.resources import PrivateLinkService
from plstui.domain.states import Tone
from plstui.domain.tags import MAX_NAME, MAX_VALUE, TagChange, named, parsed_tag, tag_change, tags_of
from plstui.domain.text import clean
from plstui.tui.dialog import AnswerButton, Dialog
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.tones import styled


class TagScreen(Dialog[TagChange | None]):
    """Shows the tags of a service and gives back what to change, or None for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "Cancel")]

    def __init__(self, service: PrivateLinkService) -> None:
        super().__init__()
        self._service = service

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Tags of {clean(self._service.name, 60)}")
            with VerticalScroll(can_focus=False), Grid(classes="facts"):
                for name, value in self._service.tags or (("none", ""),):
                    yield Static(styled(clean(name, MAX_NAME), Tone.QUIET))
                    yield Static(Content(clean(value, MAX_VALUE)))
            yield Input(placeholder="NAME=VALUE sets one tag, -NAME removes one", compact=True)
            with Horizontal(classes="buttons"):
                yield AnswerButton("Go on (Enter)", id="yes", compact=True)
                yield AnswerButton("Cancel (Esc)", id="no", compact=True)

    def on_mount(self) -> None:
        self.query("Input").focus()

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _take(self) -> None:
        typed = self.query_one(Input).value.strip()
        try:
            there = self._there(typed[1:])
            # The name of one that is there may hold what parts names from values.
            if typed.startswith("-") and ("=" not in typed or there):
                self.dismiss(tag_change(self._service.id, {}, [there or named(typed[1:])]))
            else:
                self.dismiss(tag_change(self._service.id, dict([parsed_tag(typed)])))
        except ValueError as error:
            self.tell(f"Not yet: {error}.")

    def _there(self, typed: str) -> str:
        """The name of the tag that somebody means who types what is shown of it; empty when it is none or several."""
        names = [name for name, _ in self._service.tags]
        same = [name for name in names if name.lower() == typed.lower()]
        alike = same or [name for name in names if clean(name, MAX_NAME).lower() == typed.lower()]
        return alike[0] if len(alike) == 1 else ""

    @on(Button.Pressed, "#no")
    def action_cancel(self) -> None:
        """Nothing is to be changed."""
        self.dismiss(None)


def question_of(change: TagChange, service: Body, name: str) -> QuestionScreen:
    """The question whether to change the tags of a service, whose harmless `name` is given, from what they are now."""
    facts = [
        (clean(tag, 60), Content(f"{_value(before)} → {_value(after)}"))
        for tag, before, after in change.differences(tags_of(service))
    ]
    return QuestionScreen(f"Change the tags of {name}?", facts, "Change", az=change.az)


def _value(value: str | None) -> str:
    return "none" if value is None else clean(value, 256) or "empty"
