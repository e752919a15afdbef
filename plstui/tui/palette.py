"""The registry as a source for Textual's command palette."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from plstui.tui.commanding import CommandingScreen
from plstui.tui.commands import Offer


class RegistryProvider(Provider):
    """Every command of the registry; one that is not possible now says why."""

    async def discover(self) -> Hits:
        for offer, run in self._commands():
            yield DiscoveryHit(_title(offer), run, offer.label, _help(offer))  # type: ignore[arg-type]

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for offer, run in self._commands():
            score = matcher.match(offer.label)
            if score > 0:
                yield Hit(score, matcher.highlight(offer.label), run, offer.label, _help(offer))  # type: ignore[arg-type]

    def _commands(self) -> Iterator[tuple[Offer, partial[None]]]:
        screen = self.screen
        if isinstance(screen, CommandingScreen):
            for offer in screen.offered():
                if offer.id != "palette":
                    yield offer, partial(screen.run_command, offer.id)


def _help(offer: Offer) -> Content:
    # The palette takes a string for markup, and what escapes markup does not escape all that is taken for it.
    return Content(f"Not now: {offer.why_not}" if offer.why_not else offer.help)


def _title(offer: Offer) -> Content:
    return Content(f"{offer.label}  ({offer.key})" if offer.key else offer.label)
