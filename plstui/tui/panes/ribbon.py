"""The way of the selected connection in a line: from the client to the page, with the first hop that is broken marked.

Where there is less room, names give way before states, and what is well before what is not; where there is very
little, hops that are well are only counted. A hop is never parted by the end of a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.geometry import Size
from textual.reactive import var
from textual.widget import Widget

from plstui.domain.ids import ResourceId
from plstui.domain.path import Hop, HopKind, Path, path_of
from plstui.domain.sides import Side
from plstui.domain.states import Tone, glyph_of
from plstui.domain.text import ELLIPSIS, clean
from plstui.domain.world import Link, World
from plstui.tui.panes.commands import Context
from plstui.tui.state import ProbeRun
from plstui.tui.tones import BUSY, BUSY_GLYPH, STATE_LENGTH, VARIABLES, styled
from plstui.tui.truth import still_true

ARROW, CUT = " → ", " ┄ "
"""Between two hops: as far as a connection gets, and where none comes any more."""

BESIDE: Final = "  "
"""Between two backends, which stand side by side."""

STALE: Final = "✖ stale  "
"""Before the hops of a side that cannot be read."""

LINES: Final = ((120, 1), (60, 2), (0, 3))
"""Cells from which so many lines are enough."""

LONGEST_NAME: Final = 32
"""Cells of a name."""

MANY: Final = 6
"""Backends from which the well ones are only counted."""

NAMED: Final = 2
"""Bad backends that are named when they are many."""


class Form(IntEnum):
    """How much is said of a hop, the most first."""

    FULL = 0
    """Its name and its state."""
    KIND = 1
    """What it is, and its state."""
    TERSE = 2
    """What tells the most: a state that says more than its glyph, or else what it is."""
    SHORT = 3
    """The same, abbreviated as `az` does; of backends only the number."""


K = HopKind
LADDER: Final[tuple[tuple[Form, tuple[HopKind, ...]], ...]] = (
    (Form.KIND, (K.SERVICE, K.BALANCER, K.RULE, K.POOL)),
    (Form.TERSE, (K.SERVICE, K.BALANCER)),
    (Form.TERSE, (K.CONNECTION,)),
    (Form.TERSE, (K.CLIENT, K.BACKEND)),
    (Form.TERSE, (K.RULE, K.POOL)),
    (Form.KIND, (K.NAME, K.ENDPOINT)),
    (Form.TERSE, (K.NAME, K.ENDPOINT)),
    (Form.SHORT, (K.BACKEND,)),
    (Form.SHORT, (K.CLIENT, K.NAME, K.SERVICE, K.BALANCER)),
)
"""What is said more briefly, one after the other, until everything fits."""

_SHORT: Final = {K.CLIENT: "VM", K.SERVICE: "PLS", K.BALANCER: "LB"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the ribbon that stays in one line."""

    text: str
    tone: str
    lead: str = ""
    """What parts it from the piece before."""
    head: str = ""
    """The marker of its side, where that begins."""
    stale: bool = False
    """Whether that side cannot be read, so that all of it may be otherwise by now."""
    marked: bool = False
    """Whether this is the first broken hop."""

    @property
    def size(self) -> int:
        """Cells without the lead."""
        marks = 2 if self.marked else 0
        return cell_len(self.head) + (len(STALE) if self.stale else 0) + cell_len(self.text) + marks

    def content(self) -> Content:
        """The piece without its lead."""
        # Turned round, so that it is found without colours too.
        text = (
            Content.styled(f" {self.text} ", f"bold reverse {VARIABLES[self.tone]}")
            if self.marked
            else styled(self.text, self.tone)
        )
        return Content.assemble(Content(self.head), styled(STALE if self.stale else "", Tone.BAD), text)


class PathRibbon(Widget):
    """Bound to what the main screen knows; computed for the selected connection alone."""

    world: var[World] = var(World)
    context: var[Context] = var(Context)
    """Holds the selected connection."""
    probe: var[ProbeRun] = var(ProbeRun)
    under_way: var[Mapping[ResourceId, str]] = var(dict)

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[Path, tuple[Side, ...], str | None] | None = None
        self._lines: list[list[Piece]] = []

    def watch_world(self) -> None:
        self._tell()

    def watch_context(self) -> None:
        self._tell()

    def watch_probe(self) -> None:
        self._tell()

    def watch_under_way(self) -> None:
        self._tell()

    def on_resize(self) -> None:
        """Say as much as fits now."""
        self._lay_out()

    def _tell(self) -> None:
        """Bring the line up to date; an equal way costs nothing."""
        told = self._way(self.context.link) if self.context.link else None
        if told != self._told:
            self._told = told
            self.set_class(told is not None, "-shown")
            self._lay_out()

    def _way(self, link: Link) -> tuple[Path, tuple[Side, ...], str | None]:
        path = path_of(self.world, link, still_true(self.probe, self.world, link))
        snapshots = (self.world.side(side) for side in Side)
        stale = tuple(snapshot.side for snapshot in snapshots if snapshot and snapshot.stale_since)
        return path, stale, self.under_way.get(link.id)

    def _lay_out(self) -> None:
        width = self.content_size.width
        before, self._lines = len(self._lines), self._lines_for(width)
        self.refresh(layout=len(self._lines) != before)

    def _lines_for(self, width: int) -> list[list[Piece]]:
        return ribbon(*self._told, width) if self._told and width > 0 else []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines_for(width))

    def render(self) -> Content:
        return Content("\n").join(map(_line, self._lines))


def _line(pieces: Sequence[Piece]) -> Content:
    return Content.assemble(*(part for piece in pieces for part in (styled(piece.lead, Tone.QUIET), piece.content())))


def ribbon(path: Path, stale: Sequence[Side], doing: str | None, width: int) -> list[list[Piece]]:
    """The lines of a way, at most `width` cells each. `doing` is what is under way on its connection."""
    most = next(lines for least, lines in LINES if width >= least)
    forms = dict.fromkeys(HopKind, Form.FULL)
    if sum(hop.kind is K.BACKEND for hop in path.hops) >= MANY:
        forms[K.BACKEND] = Form.SHORT
    for form, kinds in ((Form.FULL, ()), *LADDER):
        forms.update({kind: max(forms[kind], form) for kind in kinds})
        lines = _packed(_pieces(path, stale, doing, forms), width)
        if len(lines) <= most:
            return lines
    # Should even that be too much, the end is left out: what comes first explains the rest.
    return _packed(_folded(_pieces(path, stale, doing, forms)), width)[:most]


def _pieces(path: Path, stale: Sequence[Side], doing: str | None, forms: Mapping[HopKind, Form]) -> list[Piece]:
    """What is written, in order, with the signs between."""
    broken_at, pieces = path.broken_at, []
    side: Side | None = None
    for place, hop in enumerate(path.hops):
        if hop.kind is K.BACKEND and forms[K.BACKEND] is Form.SHORT:
            continue
        text, tone = _said(hop, forms[hop.kind], doing)
        piece = Piece(text, tone, marked=place == broken_at)
        if place:
            beside = hop.kind is K.BACKEND and path.hops[place - 1].kind is K.BACKEND
            past = broken_at is not None and place > broken_at
            piece = replace(piece, lead=BESIDE if beside else CUT if past else ARROW)
        if hop.side is not side:
            side = hop.side
            piece = replace(piece, head=f"{side.marker} ", stale=side in stale)
        pieces.append(piece)
    if forms[K.BACKEND] is Form.SHORT:
        pieces += _counted(path)
    return pieces


def _said(hop: Hop, form: Form, doing: str | None) -> tuple[str, str]:
    """A hop's glyph and words, and their tone."""
    if doing and hop.kind is K.CONNECTION:
        return f"{BUSY_GLYPH} {doing}…", BUSY
    words = " ".join(_words(hop, form))
    return f"{glyph_of(hop.state, hop.tone)} {words}", hop.tone


def _words(hop: Hop, form: Form) -> tuple[str, ...]:
    """A hop's words without those that are empty."""
    kind, state = hop.kind.value, clean(hop.state, STATE_LENGTH)
    # A connection is called after its endpoint, which stands before it.
    name = clean(hop.name, LONGEST_NAME) if hop.kind is not K.CONNECTION else ""
    words: tuple[str, ...]
    match form, hop.kind:
        case _ if not name and kind in state:
            words = (state,)
        case Form.FULL, _:
            words = (name or kind, state)
        case Form.KIND, _:
            words = (kind, state)
        case _, K.CONNECTION | K.RULE | K.POOL | K.ENDPOINT if state and not (hop.broken and hop.kind is K.ENDPOINT):
            words = (state,)
        case Form.TERSE, K.CLIENT | K.BACKEND:
            words = (name or kind, state if hop.broken else "")
        case _:
            words = (_SHORT.get(hop.kind, kind) if form is Form.SHORT else kind, "" if hop.tone is Tone.GOOD else state)
    return tuple(filter(None, words))


def _counted(path: Path) -> Iterator[Piece]:
    """Many backends: the first bad ones by name, the others by number."""
    lead = CUT if path.broken_at is not None and path.hops[path.broken_at].kind is not K.BACKEND else ARROW
    backends = [(place, hop) for place, hop in enumerate(path.hops) if hop.kind is K.BACKEND]
    bad = [(place, hop) for place, hop in backends if hop.broken]
    well = sum(hop.tone is Tone.GOOD for _, hop in backends)
    unknown = len(backends) - len(bad) - well
    for place, hop in bad[:NAMED]:
        text, tone = _said(hop, Form.TERSE, None)
        yield Piece(text, tone, lead, marked=place == path.broken_at)
        lead = BESIDE
    if len(bad) > NAMED:
        yield Piece(f"{glyph_of('', Tone.BAD)} {len(bad) - NAMED} more", Tone.BAD, lead)
    if well:
        others = "others" if bad else "backend" if well == 1 else "backends"
        yield Piece(f"{glyph_of('', Tone.GOOD)} {well} {others}", Tone.GOOD, lead)
        lead = BESIDE
    if unknown:
        yield Piece(f"{glyph_of('', Tone.QUIET)} {unknown} not known", Tone.QUIET, lead)


def _folded(pieces: Sequence[Piece]) -> list[Piece]:
    """Runs of hops that are well, as their number; each side's for itself."""
    folded: list[Piece] = []
    count = 0
    for piece in pieces:
        well = piece.tone == Tone.GOOD
        count = count + 1 if well and not piece.head else int(well)
        if count > 1:
            folded[-1] = replace(folded[-1], text=f"{glyph_of('', Tone.GOOD)} {count} hops")
        else:
            folded.append(piece)
    return folded


def _packed(pieces: Sequence[Piece], width: int) -> list[list[Piece]]:
    """The pieces in as many lines as they take; one that is longer than a line is cut."""
    lines: list[list[Piece]] = []
    left = 0
    for piece in pieces:
        if piece.size > width - cell_len(piece.lead):
            room = max(1, cell_len(piece.text) - (piece.size - width + cell_len(piece.lead)) - 1)
            piece = replace(piece, text=set_cell_size(piece.text, room).rstrip() + ELLIPSIS)
        if not lines or cell_len(piece.lead) + piece.size > left:
            lines.append([])
            left = width
            # The arrow leads into the next line; a gap does not.
            piece = replace(piece, lead="" if piece.lead == BESIDE else piece.lead.lstrip())
        lines[-1].append(piece)
        left -= cell_len(piece.lead) + piece.size
    return lines
