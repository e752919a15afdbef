"""How the lines of the screen are shared out among those who would like some."""

from __future__ import annotations

from collections.abc import Sequence


def shares(lines: int, wanted: Sequence[int], weights: Sequence[int]) -> list[int]:
    """The lines that each gets: what it wants while there is enough, else its part by weight and what others leave.

    What nobody wants goes to the last one. The sum is `lines`, which may not be negative.
    """
    got = [0] * len(wanted)
    hungry = list(range(len(wanted)))
    left = lines
    while hungry:
        weight = sum(weights[place] for place in hungry)
        content = [place for place in hungry if wanted[place] * weight <= left * weights[place]]
        for place in content:
            got[place] = wanted[place]
            hungry.remove(place)
        left -= sum(wanted[place] for place in content)
        if not content:
            for number, place in enumerate(hungry):
                weight = sum(weights[later] for later in hungry[number:])
                got[place] = left * weights[place] // weight
                left -= got[place]
            return got
    if got:
        got[-1] += left
    return got
