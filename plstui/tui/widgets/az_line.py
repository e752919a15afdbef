"""The `az` command that does the same, broken between its options so that it can be read and copied."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

INDENT = "  "

_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")
"""A word of a shell line with its quotes."""


class AzLine(Widget):
    """One command on as many lines as its width asks for."""

    line: reactive[str] = reactive("", layout=True)

    def __init__(self, line: str) -> None:
        super().__init__(classes="az")
        self.set_reactive(AzLine.line, line)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        # Counted as it is drawn: a word longer than the line goes on in the next one.
        return self._content(width).get_height({}, width)

    def render(self) -> Content:
        return self._content(self.content_size.width)

    def _content(self, width: int) -> Content:
        return Content("\n").join(Content(line) for line in broken(self.line, width))


def broken(line: str, width: int) -> Iterator[str]:
    """The lines of a command, at most `width` cells each where its words allow it; a shell takes them as they are."""
    current = ""
    for piece in _pieces(line):
        longer = f"{current} {piece}" if current else piece
        # Two cells stay free for the backslash that tells the shell to read on.
        if current and cell_len(longer) > width - 2:
            yield f"{current} \\"
            longer = INDENT + piece
        current = longer
    yield current


def _pieces(line: str) -> Iterator[str]:
    """The command's words; an option and its value stay together."""
    option = ""
    for word in _WORD.findall(line):
        if option:
            together, option = f"{option} {word}", ""
            yield together
        elif word.startswith("--"):
            option = word
        else:
            yield word
    if option:
        yield option
