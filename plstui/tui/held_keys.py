"""Tells a key that is held down from one that is pressed again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

PAUSE: Final = 1.0
"""Seconds after which a key counts as pressed again: terminals and desktops wait for up to two thirds of one before
they begin to repeat a key that is held down."""


class HeldKeys:
    """A key that is still held down does nothing elsewhere than where it was pressed.

    Terminals tell nothing of a key that is let go. What they send is the same key again and again, with no other key
    and no pause in between.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._key = ""
        self._at = 0.0
        self._place: object = None
        self._places: Collection[object] = ()

    def strays(self, key: str, place: object, places: Collection[object], *, leaves: bool = False) -> bool:
        """Whether a key is a repeat that would go to another place than the one where it was pressed.

        The key that leaves may say yes to the question whether to leave, which was not among the open places when it
        was pressed: twice it leaves, whatever runs.
        """
        now = self._monotonic()
        repeated = key == self._key and now - self._at < PAUSE
        self._at = now
        if not repeated:
            self._key, self._place, self._places = key, place, places
        return repeated and place != self._place and not (leaves and place not in self._places)
