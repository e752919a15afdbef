"""The `az` commands that do the same, on as many lines as there is room for; copied, each is one command again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.selection import Selection
from textual.widget import Widget

INDENT = "  "

NARROWEST = 16
"""Cells below which a command is not broken any further: nobody reads it there, and every line costs two of them."""

_PARTS = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\]+|['"\\]""")
"""What the words of a shell line are made of: quoted text, an escaped character, plain text."""

_WORD = re.compile(rf"(?:{_PARTS.pattern})+")


class AzLine(Widget):
    """Commands, one a line of `line`; what is too long for the width goes on in the next line, as a shell reads it."""

    line: reactive[str] = reactive("", layout=True)

    def __init__(self, line: str = "") -> None:
        super().__init__(classes="az")
        self.set_reactive(AzLine.line, line)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        # Counted as it is drawn, which it is not without any width.
        return self._content(width).get_height({}, width) if width else 0

    def render(self) -> Content:
        return self._content(self.content_size.width)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """What is marked, without the breaks that only the width asks for."""
        return joined(selection.extract(self.render().plain)), "\n"

    def _content(self, width: int) -> Content:
        lines = (line for command in self.line.split("\n") for line in broken(command, width))
        return Content("\n".join(part for line in lines for part in cut(line, width)))


def joined(lines: str) -> str:
    """Commands as they were before they were broken and cut, whole or in part."""
    lines = lines.replace("'\\\n'", "").replace(f" \\\n{INDENT}", " ").replace("\\\n", "")
    # Somebody may mark a command up to the end of one of its lines.
    return re.sub(r" ?\\$", "", lines)


def broken(line: str, width: int) -> Iterator[str]:
    """The lines of a command, at most `width` cells each where its words allow it; a shell takes them as they are."""
    # A comment ends with its line: no backslash leads on from it.
    end, start = ("", "# ") if line.lstrip().startswith("#") else (" \\", INDENT)
    current = ""
    for piece in line.split() if not end else _pieces(line, width - len(INDENT + end)):
        longer = f"{current} {piece}" if current else piece
        # Two cells stay free for the backslash that tells the shell to read on.
        if current and cell_len(longer) > width - 2:
            yield f"{current}{end}"
            longer = start + piece
        current = longer
    yield current


def _pieces(line: str, room: int) -> Iterator[str]:
    """The command's words; an option and its value stay together where there is room for both."""
    option = ""
    for word in _WORD.findall(line):
        if option and cell_len(f"{option} {word}") <= room:
            yield f"{option} {word}"
            option = ""
            continue
        if option:
            yield option
        option = word if word.startswith("--") else ""
        if not option:
            yield word
    if option:
        yield option


def cut(line: str, width: int) -> Iterator[str]:
    """A line whose words did not allow it, on several that are no wider; a shell takes these as they are too.

    A backslash in the middle of a word tells it to read on without a gap. Between single quotes a backslash is a
    backslash: there the quoted text is closed before the break and opened again after it.
    """
    width = max(width, NARROWEST)
    if cell_len(line) <= width or line.startswith("#"):
        yield line
        return
    room = width - len("'\\")
    current = ""
    for part in re.findall(rf"\s+|{_PARTS.pattern}", line):
        quoted = len(part) > 1 and part.startswith("'")
        closing = "'" if quoted else ""
        if quoted and cell_len(current) > room - len("'wi'"):
            yield f"{current}\\"
            current = ""
        current += closing
        # An escaped character stays whole. Two single quotes within double ones are not parted: see `joined`.
        for unit in part[1:-1] if quoted else re.findall(r"\\.|.", part):
            if cell_len(current + unit + closing) > room and unit != "'":
                yield f"{current}{closing}\\"
                current = closing
            current += unit
        current += closing
    yield current
