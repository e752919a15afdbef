"""What the last probe brought: per target the pages, who served them, how long it took, what failed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from rich.cells import cell_len, set_cell_size
from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.states import Tone
from plstui.domain.targets import addresses
from plstui.domain.text import clean
from plstui.engine.runtime import Runtime
from plstui.tui.clock import clock_time
from plstui.tui.messages import LinesWanted, Probed, Said
from plstui.tui.probe import probing
from plstui.tui.probe.probing import ProbeAnswered, ProbeOver, ProbeWidened
from plstui.tui.section import Section
from plstui.tui.state import ProbeRun
from plstui.tui.tones import BUSY, styled
from plstui.tui.truth import still_true
from plstui.tui.work import work

BAR = "━"
BARS = "▁▂▃▄▅▆▇█"
FAILED, SOME_FAILED, NOT_ASKED = "✖", "!", "·"
"""What stands for a run: how long the page took, that none came, that some did not, that it was not asked for."""

UNSEEN = 80
"""Cells to reckon with while it is not in view."""

SHORTEST_BAR = 10
LONGEST_BAR = 40
"""Cells of a bar that stands for all attempts."""

HOST_CELLS = 22
"""Cells before the bars: `Host:` with the name of a usual machine."""

LONGEST_NAME = 30
"""Cells of a target's name; what is longer is cut, so that the rest of the line stays in view."""


class ProbeView(VerticalScroll, Section):
    """Endpoints first: what comes through the link is the question; the backends explain the answer.

    Whoever else shows the probe hears of it by `Probed`.
    """

    TITLE = "Probe"
    STYLE = Path(__file__).with_name("view.tcss")

    def __init__(self, key: str) -> None:
        """`key` is the one that starts a probe."""
        super().__init__()
        self._key = key
        self._old = False

    def start(self, runtime: Runtime, at: datetime) -> None:
        wanted = addresses(self.world)
        if wanted and not self.busy:
            self.probe = self.probe.again(wanted, at, self.world)
            self.run_worker(work(probing.probe, runtime, wanted, self.post_message), group="probe", name="probe")

    @on(ProbeWidened)
    def _widen(self, event: ProbeWidened) -> None:
        self.probe = replace(self.probe, targets=(*self.probe.targets, event.target))

    @on(ProbeAnswered)
    def _take_answer(self, event: ProbeAnswered) -> None:
        self.probe = self.probe.answered(event.result)

    @on(ProbeOver)
    def _end(self, event: ProbeOver) -> None:
        self.probe = replace(self.probe, running=False, trouble=event.trouble)
        if event.trouble:
            self.post_message(Said(f"probe: {event.trouble}", Tone.BAD))
            return
        good = sum(result.ok for result in self.probe.results)
        said = f"probed {len(self.probe.targets)} targets, {good} well"
        self.post_message(Said(said, Tone.GOOD if self.probe.ok else Tone.BAD))

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self._show()

    def on_resize(self, _: events.Resize) -> None:
        """The bars take the room there is."""
        self._show()

    def watch_probe(self) -> None:
        self.busy = self.probe.running
        self.post_message(Probed())
        self._old = self._is_old()
        self._show()

    def watch_world(self) -> None:
        if (old := self._is_old()) != self._old:
            self._old = old
            self._show()

    def _is_old(self) -> bool:
        """Whether something that was answered may be answered otherwise now."""
        return len(still_true(self.probe, self.world)) < len(self.probe.results)

    def _show(self) -> None:
        lines = list(_lines(self.probe, self.content_size.width or UNSEEN, self._key, old=self._old))
        for static in self.query_children(Static):
            static.update(Content("\n").join(lines))
        if self.id:
            self.post_message(LinesWanted(self.id, len(lines)))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The widths that all lines of one probe share."""

    names: int
    addresses: int
    width: int
    runs: ProbeRun
    slowest: float
    """Milliseconds until a page came, in the slowest run."""

    @classmethod
    def of(cls, probe: ProbeRun, width: int) -> _Layout:
        return cls(
            max(cell_len(_name(target)) for target in probe.targets),
            max(cell_len(_where(target)) for target in probe.targets),
            width,
            probe,
            max((_pace(r) for results in (*probe.past, probe.results) for r in results), default=0.0),
        )

    @property
    def longest_bar(self) -> int:
        return max(SHORTEST_BAR, min(LONGEST_BAR, self.width - HOST_CELLS - 16))

    def head(self, glyph: str, tone: str, target: Target) -> Content:
        return Content.assemble(
            styled(f"{glyph} ", tone),
            Content.styled(set_cell_size(_name(target), self.names), "bold"),
            styled(f"  {target.side.marker} {set_cell_size(_where(target), self.addresses)}  ", Tone.QUIET),
            self._history(target),
        )

    def _history(self, target: Target) -> Content:
        """A cell for each run, once there are several: how long the page took, or that it did not come."""
        if not self.runs.past:
            return Content("")
        cells = (self._cell(result) for result in self.runs.history(target))
        return Content.assemble(*cells, Content("  "))

    def _cell(self, result: TargetResult | None) -> Content:
        if result is None or result.silent:
            return styled(NOT_ASKED, Tone.QUIET)
        if not result.hosts:
            return styled(FAILED, Tone.BAD)
        height = _pace(result) / self.slowest if self.slowest else 0.0
        bar = BARS[min(len(BARS) - 1, int(height * len(BARS)))]
        return styled(bar, Tone.GOOD) if result.ok else styled(SOME_FAILED, Tone.WAITING)


def _name(target: Target) -> str:
    return clean(target.name, LONGEST_NAME)


def _where(target: Target) -> str:
    # A name stands before it already.
    return f":{target.port}" if target.kind is TargetKind.NAME else f"{clean(target.address, 40)}:{target.port}"


ORDER = (TargetKind.ENDPOINT, TargetKind.NAME, TargetKind.BACKEND, TargetKind.BALANCER)
"""What a customer gets comes first; a small screen has room for that and the backends' pages."""


def _lines(probe: ProbeRun, width: int, key: str, *, old: bool) -> Iterator[Content]:
    if not probe.targets:
        invitation = f"Press {key} to fetch the Host: page from every backend and through every endpoint."
        yield from (styled(words, Tone.QUIET) for words in _wrapped(invitation, width))
        return
    layout = _Layout.of(probe, width)
    yield _summary(probe, key if old else "")
    if probe.trouble:
        yield from (styled(words, Tone.BAD) for words in _wrapped(probe.trouble, width - 4))
    for target in sorted(probe.targets, key=lambda target: ORDER.index(target.kind)):
        result = probe.result(target)
        if result:
            yield from _target(result, layout)
        else:
            glyph, missing, tone = ("◌", "asking…", BUSY) if probe.running else ("·", "not asked", Tone.QUIET)
            yield Content.assemble(layout.head(glyph, tone, target), styled(missing, tone))


def _summary(probe: ProbeRun, again: str) -> Content:
    """How it went; `again` is the key that asks again where that might bring something else."""
    done, total = len(probe.results), len(probe.targets)
    good = sum(result.ok for result in probe.results)
    at = styled(f"  started {clock_time(probe.started_at)}" if probe.started_at else "", Tone.QUIET)
    if probe.running:
        return Content.assemble(styled(f"◌ probing, {done} of {total} targets done", BUSY), at)
    if probe.trouble:
        told = styled(f"✖ {done} of {total} targets asked", Tone.BAD)
    elif probe.ok:
        silent = f"{good} of {total} targets answer, of the others nothing is known"
        told = styled(f"✔ all {total} targets answer" if good == total else f"✔ {silent}", Tone.GOOD)
    else:
        bad = sum(not result.ok and not result.silent for result in probe.results)
        told = styled(f"✖ {bad} of {total} targets fail", Tone.BAD)
    return Content.assemble(told, at, styled(f"  changed since: {again} asks again" if again else "", Tone.WAITING))


_GLYPHS = {Tone.GOOD: "✔", Tone.QUIET: "·", Tone.BAD: "✖"}


def _target(result: TargetResult, layout: _Layout) -> Iterator[Content]:
    """One line while all is well; what fails, and an endpoint, gets a line for every answer."""
    tone = Tone.GOOD if result.ok else Tone.QUIET if result.silent else Tone.BAD
    head = layout.head(_GLYPHS[tone], tone, result.target)
    hosts, failures, total = result.hosts, result.failures, len(result.attempts)
    count = f"{sum(hosts.values())}/{total}"
    one_place = result.target.kind is TargetKind.BACKEND
    if result.ok and (len(hosts) == 1 if one_place else result.target.kind is not TargetKind.ENDPOINT):
        page = f"Host: {clean(next(iter(hosts)), 60)}" if len(hosts) == 1 else f"{len(hosts)} hosts"
        line = Content.assemble(head, styled(f"{page:<12}", tone), styled(f" {count:>5}", Tone.QUIET))
        yield _with_times(line, result, layout.width)
    else:
        yield _with_times(Content.assemble(head, styled(f"{count} pages", tone)), result, layout.width)
        for host, times in hosts.items():
            yield _answer(f"Host: {clean(host, 60)}", Tone.GOOD, times, total, layout.longest_bar)
        for kind, times in failures.items():
            yield _answer(kind, Tone.BAD, times, total, layout.longest_bar)
    # Also where all is well, what tells nothing has to say why: there are fewer pages than questions.
    for words in _wrapped(clean(result.error or result.untold, 600), layout.width - 8):
        yield styled(f"    {words}", Tone.BAD if result.error else Tone.QUIET)


def _wrapped(text: str, width: int) -> list[str]:
    """All of a sentence: its end may be the command that helps, so nothing of it is cut."""
    # Where some characters take two cells, lines are counted as if all did.
    per_line = width if cell_len(text) == len(text) else width // 2
    return textwrap.wrap(text, max(SHORTEST_BAR, per_line), break_on_hyphens=False)


def _with_times(line: Content, result: TargetResult, width: int) -> Content:
    """The line with as much of the times and the route behind it as fits."""
    for text in _times(result):
        if line.cell_length + cell_len(text) + 2 <= width:
            return Content.assemble(line, styled(f"  {text}", Tone.QUIET))
    return line


def _answer(what: str, tone: str, times: int, total: int, longest: int) -> Content:
    """How often one answer came, as a bar on the line of all attempts."""
    cells = max(1, round(times * longest / total))
    return Content.assemble(
        styled(f"    {what:<{HOST_CELLS - 4}}  ", "" if tone is Tone.GOOD else tone),
        styled(BAR * cells, tone),
        Content.styled(BAR * (longest - cells), "$foreground 18%"),
        Content(f" {times:>3}"),
        styled(f" {100 * times / total:>4.0f} %", Tone.QUIET),
    )


def _times(result: TargetResult) -> Iterator[str]:
    """Milliseconds to connect and to the first byte, p50/p95 or p50 alone, with the route: the longest form first."""
    route = clean(result.route, 60)
    if result.connect_ms and result.first_byte_ms:
        connect, first_byte = ([_ms(value) for value in pair] for pair in (result.connect_ms, result.first_byte_ms))
        both = f"connect {'/'.join(connect)} · first byte {'/'.join(first_byte)} ms"
        yield f"{both}  {route}"
        yield both
        yield f"connect {connect[0]} · first byte {first_byte[0]} ms"
        yield f"{connect[0]} + {first_byte[0]} ms"
    else:
        yield route


def _pace(result: TargetResult) -> float:
    """Milliseconds until the page usually came; 0 when it never did."""
    return sum(times[0] for times in (result.connect_ms, result.first_byte_ms) if times)


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
