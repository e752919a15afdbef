"""The line at the top and the line of keys at the bottom."""

from __future__ import annotations

from datetime import datetime

from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from plstui.domain.states import Tone
from plstui.tui.clock import NO_TIME, clock_time
from plstui.tui.commands import Offer
from plstui.tui.messages import CommandChosen
from plstui.tui.state import Line
from plstui.tui.tones import styled

KEY_STYLE = "bold $footer-key-foreground"
OFF_STYLE = "dim $text-disabled"


class TopBar(Widget):
    """What this is, where it looks, whether it may write, and the time."""

    now: reactive[datetime] = reactive(NO_TIME)
    read_only: reactive[bool] = reactive(False)
    """Whether nothing can be written."""
    note: reactive[Line] = reactive(Line)
    """What goes on elsewhere."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where

    def render(self) -> Content:
        width = self.content_size.width
        left = Content.assemble(
            Content.styled("plstui", "bold $text-primary"), styled("  Azure Private Link", Tone.QUIET)
        )
        if self.where:
            left = Content.assemble(left, styled("  ·  ", Tone.QUIET), Content(self.where))
        right = Content.styled(clock_time(self.now), "$foreground-muted") if self.now != NO_TIME else Content("")
        if self.read_only:
            right = Content.assemble(Content.styled(" read-only ", "bold $text-warning"), Content("  "), right)
        if self.note.text:
            right = Content.assemble(styled(self.note.text, self.note.tone), Content("  "), right)
        gap = max(2, width - left.cell_length - right.cell_length)
        return Content.assemble(left, Content(" " * gap), right)


class CommandBar(Widget):
    """The keys that fit, in the registry's order; what is not possible now is dim, and pressing it says why."""

    offers: reactive[tuple[Offer, ...]] = reactive(())

    def render(self) -> Content:
        return Content("  ").join(map(_part, self._shown()))

    def _shown(self) -> list[Offer]:
        """The commands that fit, the most needed ones first, in the order of the registry."""
        left = self.content_size.width + 2
        chosen: set[str] = set()
        for offer in sorted((offer for offer in self.offers if offer.rank), key=lambda offer: offer.rank):
            if _width(offer) <= left:
                chosen.add(offer.id)
                left -= _width(offer)
        return [offer for offer in self.offers if offer.id in chosen]

    def on_click(self, event: events.Click) -> None:
        """A click on a key is that key."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x = offset.x
        for offer in self._shown():
            if 0 <= x < _width(offer) - 2:
                self.post_message(CommandChosen(offer.id))
            x -= _width(offer)


def _part(offer: Offer) -> Content:
    if offer.why_not:
        return Content.styled(f"{offer.key} {offer.label}", OFF_STYLE)
    return Content.assemble(Content.styled(offer.key, KEY_STYLE), Content(f" {offer.label}"))


def _width(offer: Offer) -> int:
    """Cells of a command in the bar, with the gap behind it."""
    return Content(f"{offer.key} {offer.label}").cell_length + 2
