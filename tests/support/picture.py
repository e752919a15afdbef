"""A terminal's screen as an SVG that looks the same everywhere.

Textual's own export names fonts on the web and leaves frames to the reader's font. Here frames, bars and the sides'
dots are drawn, every run of characters is held to its cells, and the fonts are those a reader has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from rich.cells import cell_len
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

CELL = (8.4, 19.0)
"""Width and height of a cell in pixels: what a 14-pixel monospaced font takes, with a little air between lines."""

FONT = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"
FONT_SIZE = 14
BASELINE = 13.8
MARGIN = 14.0
TITLE_BAR = 34.0

DOTS = {"🔵": "#3b82f6", "🟢": "#22c55e"}
"""The sides' markers: a reader's font may have them in one colour or not at all."""

_UP, _RIGHT, _DOWN, _LEFT = "up", "right", "down", "left"
_ARMS = {
    "─": (_LEFT, _RIGHT),
    "│": (_UP, _DOWN),
    "╭": (_RIGHT, _DOWN),
    "╮": (_LEFT, _DOWN),
    "╰": (_UP, _RIGHT),
    "╯": (_UP, _LEFT),
}
_BLOCKS = {
    "━": (0.0, 0.36, 1.0, 0.28),
    "█": (0.0, 0.0, 1.0, 1.0),
    "▀": (0.0, 0.0, 1.0, 0.5),
    **{bar: (0.0, 1 - eighths / 8, 1.0, eighths / 8) for eighths, bar in enumerate("▁▂▃▄▅▆▇", 1)},
    "▔": (0.0, 0.0, 1.0, 0.125),
    "▌": (0.0, 0.0, 0.5, 1.0),
    "▐": (0.5, 0.0, 0.5, 1.0),
    "▊": (0.0, 0.0, 0.75, 1.0),
    "▎": (0.0, 0.0, 0.25, 1.0),
    "▍": (0.0, 0.0, 0.375, 1.0),
}
"""Left, top, width and height as parts of the cell."""

_PIECES = re.compile("|".join([*map(re.escape, (*DOTS, *_ARMS)), *(f"{block}+" for block in _BLOCKS)]))
_DEFAULT = (ColorTriplet(224, 224, 224), ColorTriplet(18, 18, 18))


def svg(strips: Sequence[Strip], title: str) -> str:
    """The screen in a window's frame."""
    columns = max(strip.cell_length for strip in strips)
    width, height = columns * CELL[0] + 2 * MARGIN, len(strips) * CELL[1] + TITLE_BAR + MARGIN
    _, ground = _colours(next(iter(strips[-1])))
    body = [piece for y, strip in enumerate(strips) for piece in _line(strip, TITLE_BAR + y * CELL[1])]
    lamps = "".join(
        f'<circle cx="{22 + 18 * number}" cy="17" r="5.5" fill="{colour}"/>'
        for number, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    label = escape(title)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" '
        f'font-family="{FONT}" font-size="{FONT_SIZE}"><title>{label}</title>'
    )
    frame = f'width="{width - 1:.1f}" height="{height - 1:.1f}" rx="9" stroke="#808080" stroke-opacity="0.4"'
    heading = f'<text x="{width / 2:.1f}" y="22" text-anchor="middle" font-size="13" fill="#808080">{label}</text>'
    return "\n".join(
        (head, f'<rect x="0.5" y="0.5" {frame} fill="{ground.hex}"/>', lamps, heading, *body, "</svg>", "")
    )


def _line(strip: Strip, top: float) -> Iterator[str]:
    """Backgrounds of a line first, then what stands on them."""
    x = MARGIN
    front: list[str] = []
    for segment in strip.simplify():
        text = segment.text
        size = cell_len(text) * CELL[0]
        ink, ground = _colours(segment)
        # A hair wider and higher than its cells, or a renderer leaves seams between neighbours.
        yield _rectangle(x, top, size + 0.4, CELL[1] + 0.4, ground.hex)
        front += _characters(text, segment.style or Style(), ink.hex, x, top)
        x += size
    yield from front


def _characters(text: str, style: Style, ink: str, x: float, top: float) -> Iterator[str]:
    start = 0
    for match in _PIECES.finditer(text):
        yield from _words(text[start : match.start()], style, ink, x + cell_len(text[:start]) * CELL[0], top)
        yield _drawn(match[0], ink, x + cell_len(text[: match.start()]) * CELL[0], top)
        start = match.end()
    yield from _words(text[start:], style, ink, x + cell_len(text[:start]) * CELL[0], top)


def _words(text: str, style: Style, ink: str, x: float, top: float) -> Iterator[str]:
    """Runs of characters, each held to the cells it has; wide gaps part them, so that columns stay columns."""
    for match in re.finditer(r"\S+(?: \S+)*", text):
        at = x + cell_len(text[: match.start()]) * CELL[0]
        looks = ' font-weight="bold"' if style.bold else ""
        looks += ' font-style="italic"' if style.italic else ""
        looks += ' text-decoration="underline"' if style.underline else ""
        yield (
            f'<text x="{at:.1f}" y="{top + BASELINE:.1f}" textLength="{cell_len(match[0]) * CELL[0]:.1f}" '
            f'lengthAdjust="spacingAndGlyphs" fill="{ink}"{looks}>{escape(match[0])}</text>'
        )


def _drawn(piece: str, ink: str, x: float, top: float) -> str:
    width, height = CELL
    if piece in DOTS:
        return f'<circle cx="{x + width:.1f}" cy="{top + height / 2:.1f}" r="5.2" fill="{DOTS[piece]}"/>'
    if piece[0] in _BLOCKS:
        left, up, wide, high = _BLOCKS[piece[0]]
        size = width * (len(piece) if wide == 1.0 else wide)
        return _rectangle(x + left * width, top + up * height, size, high * height, ink)
    middle = {"x": x + width / 2, "y": top + height / 2}
    ends = {
        _UP: f"{middle['x']:.1f} {top:.1f}",
        _DOWN: f"{middle['x']:.1f} {top + height:.1f}",
        _LEFT: f"{x:.1f} {middle['y']:.1f}",
        _RIGHT: f"{x + width:.1f} {middle['y']:.1f}",
    }
    first, second = (ends[arm] for arm in _ARMS[piece])
    bend = f"{middle['x']:.1f} {middle['y']:.1f}"
    return f'<path d="M{first} Q{bend} {second}" fill="none" stroke="{ink}"/>'


def _rectangle(x: float, y: float, width: float, height: float, fill: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'


def _colours(segment: Segment) -> tuple[ColorTriplet, ColorTriplet]:
    """Foreground and background as they are seen."""
    style = segment.style or Style()
    ink, ground = _triplet(style.color, _DEFAULT[0]), _triplet(style.bgcolor, _DEFAULT[1])
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = ColorTriplet(*((one + other) // 2 for one, other in zip(ink, ground, strict=True)))
    return ink, ground


def _triplet(colour: Color | None, otherwise: ColorTriplet) -> ColorTriplet:
    return colour.get_truecolor() if colour and not colour.is_default else otherwise
