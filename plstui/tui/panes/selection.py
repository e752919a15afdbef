"""Which of thousands of connections are shown, and which one is selected while they come, change and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plstui.domain.connection import PENDING
from plstui.domain.text import clean
from plstui.domain.world import Link

WORDS_SHOWN = 20
"""Cells of a filter's words in the table's title; the other sections' tabs stand behind them."""


def matching(links: Sequence[Link], text: str) -> tuple[Link, ...]:
    """The links that have every word of a text in their status, endpoint, message or service, in any case."""
    words = text.casefold().split()
    if not words:
        return tuple(links)
    return tuple(link for link in links if all(word in _said(link) for word in words))


def pending_first(links: Sequence[Link]) -> tuple[Link, ...]:
    """The same links, those first that wait for a decision; apart from that in the order in which Azure lists them."""
    return tuple(sorted(links, key=lambda link: link.status != PENDING))


def in_short(links: Sequence[Link], shown: Sequence[Link], text: str) -> str:
    """The title's note on what is shown: `495 pending`, or `/trade · 12 of 5358, 3 pending`; empty without either."""
    waiting = sum(1 for _ in _pending(shown))
    found = f"/{clean(text, WORDS_SHOWN)} · {len(shown)} of {len(links)}" if text else ""
    return ", ".join(part for part in (found, f"{waiting} pending" if waiting else "") if part)


def _said(link: Link) -> str:
    return "\n".join((link.status.word, link.endpoint_name, link.message, link.service_name)).casefold()


@dataclass(frozen=True, slots=True)
class Selection:
    """The connection that commands work on."""

    link: Link | None = None
    place: int | None = None
    """Its row in the table; None when the table does not show it: it was chosen in a tree."""
    held: bool = False
    """Whether a person has taken it; until then it is the first request that waits for a decision."""
    waited_at: int | None = None
    """Its row while it waited for a decision, which it has now: those that wait come first, so it has left them."""

    def take(self, link: Link, shown: Sequence[Link]) -> Selection:
        """What a person has moved to, or has begun to work on."""
        return Selection(link, _place(link, shown), held=True)

    def follow(self, links: Sequence[Link], shown: Sequence[Link]) -> Selection:
        """The selection among the links as they are now, and those of them that the table shows now."""
        found = self._again(shown)
        if found is None and self.held and self.place is None:
            found = self._again(links)
        if found is None and self.held and shown:
            found = shown[min(self.place or 0, len(shown) - 1)]  # The one that took its place.
        if not self.held and (found is None or found.status != PENDING):
            found = next(_pending(shown), found or next(iter(shown), None))
        # Once there is nothing to hold, whatever comes next has not been chosen by anybody.
        return Selection(found, _place(found, shown), self.held, self._waited_at(found)) if found else Selection()

    def _waited_at(self, now: Link) -> int | None:
        before = self.link
        if before is None or now.status == PENDING or before.endpoint_id != now.endpoint_id:
            return None
        return self.place if before.status == PENDING else self.waited_at

    def next_pending(self, shown: Sequence[Link]) -> Link | None:
        """The next request below that waits for a decision, from the top again after the last; None without another.

        Below where it stood when it waited itself: those above have been passed over.
        """
        start = -1 if self.place is None else self.place
        if self.waited_at is not None:
            start = self.waited_at - 1
        other = next(_pending((*shown[start + 1 :], *shown[: start + 1])), None)
        return None if other and self.link and other.id == self.link.id else other

    def _again(self, links: Sequence[Link]) -> Link | None:
        """The same connection; its id changes when the service begins or ceases to show it, its endpoint stays."""
        if self.link is None:
            return None
        own, endpoint_id = self.link.id, self.link.endpoint_id
        same = next((link for link in links if link.id == own), None)
        if same is None and endpoint_id:
            same = next((link for link in links if link.endpoint_id == endpoint_id), None)
        return same


def _place(link: Link, shown: Sequence[Link]) -> int | None:
    return next((place for place, other in enumerate(shown) if other.id == link.id), None)


def _pending(links: Sequence[Link]) -> Iterator[Link]:
    return (link for link in links if link.status == PENDING)
