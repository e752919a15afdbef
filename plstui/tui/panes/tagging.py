"""Changing the tags of a service: what to change, the question, and what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from plstui.domain.change import Body
from plstui.domain.errors import PlstuiError, again_in
from plstui.domain.resources import PrivateLinkService
from plstui.domain.states import Tone
from plstui.domain.tags import MAX_NAME, MAX_VALUE, TagChange, named, parsed_tag, tag_change, tags_of
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.gate import Gate
from plstui.tui.dialog import AnswerButton, Dialog
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.messages import Said, Troubled, WritesMoved
from plstui.tui.tones import BUSY, styled

Ask = Callable[[ModalScreen[Any]], Awaitable[Any]]
"""Shows a dialog and waits for the answer."""


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


async def change_tags(
    gate: Gate,
    service: PrivateLinkService,
    world: World,
    ask: Ask,
    tell: Callable[[Message], object],
    answered: Callable[[], object],
) -> None:
    """Ask what to change, then whether to, and do it through the gate; `answered` hears that nothing more is asked."""
    name = clean(service.name, 60)

    async def confirm(change: TagChange, body: Body) -> TagChange | None:
        facts = [
            (clean(tag, 60), Content(f"{_value(before)} → {_value(after)}"))
            for tag, before, after in change.differences(tags_of(body))
        ]
        agreed = await ask(QuestionScreen(f"Change the tags of {name}?", facts, "Change", az=change.az))
        answered()
        if agreed:
            # The write is marked as under way right after this returns, before the message is heard.
            tell(WritesMoved())
            tell(Said(f"changing the tags of {name}…", BUSY))
        return change if agreed else None

    change = await ask(TagScreen(service))
    if change is None:
        return
    try:
        outcome = await gate.perform(
            change,
            confirm,
            world=world,
            retrying=lambda error, pause: tell(Said(f"{name}: {clean(again_in(error, pause), 300)}", Tone.WAITING)),
        )
    except PlstuiError as error:
        tell(Said(f"tags of {name}: {clean(str(error), 300)}", Tone.BAD))
        tell(Troubled(error, f"Tags of {name}"))
    else:
        if outcome:
            unread = f", but {clean(outcome.unread, 300)}" if outcome.unread else ""
            tell(Said(f"changed the tags of {name}{unread}", Tone.WAITING if unread else Tone.GOOD))


def _value(value: str | None) -> str:
    return "none" if value is None else clean(value, 256) or "empty"
