"""What the last probe brought: per target the pages, who served them, how long it took, what failed."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from plstui.domain.probe import Target, TargetKind, TargetResult
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.tui.clock import clock_time
from plstui.tui.state import ProbeRun
from plstui.tui.tones import BUSY, styled

BAR = "█"
BAR_CELLS = 24
"""Cells of the longest bar, and as many answers as are drawn one cell each."""


class ProbeView(VerticalScroll):
    """Endpoints first: what comes through the link is the question; the backends explain the answer."""

    TITLE = "Probe"

    probe: reactive[ProbeRun] = reactive(ProbeRun)

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.watch_probe()

    def watch_probe(self) -> None:
        if self.is_mounted:
            self.query_one(Static).update(Content("\n").join(_lines(self.probe)))


def _lines(probe: ProbeRun) -> Iterator[Content]:
    if not probe.targets:
        yield styled("Press p to fetch the Host: page from every backend and through every endpoint.", Tone.QUIET)
        return
    yield _summary(probe)
    for target in sorted(probe.targets, key=lambda t: t.kind is TargetKind.BACKEND):
        result = probe.result(target)
        if result is None:
            yield Content.assemble(_head("◌", BUSY, target), styled("  asking…", BUSY))
        else:
            yield from _target(result)


def _summary(probe: ProbeRun) -> Content:
    done, total = len(probe.results), len(probe.targets)
    at = f"  started {clock_time(probe.started_at)}" if probe.started_at else ""
    if probe.running:
        return Content.assemble(styled(f"◌ probing, {done} of {total} targets done", BUSY), styled(at, Tone.QUIET))
    good = sum(result.ok for result in probe.results)
    tone = Tone.GOOD if probe.ok else Tone.BAD
    glyph = "✔" if probe.ok else "✖"
    return Content.assemble(styled(f"{glyph} {good} of {total} targets well", tone), styled(at, Tone.QUIET))


def _head(glyph: str, tone: str, target: Target) -> Content:
    where = f"  {clean(target.address, 60)}:{target.port}"
    return Content.assemble(
        styled(f"{glyph} ", tone),
        Content.styled(clean(target.name, 60), "bold"),
        styled(f"  {target.side.marker}{where}", Tone.QUIET),
    )


def _target(result: TargetResult) -> Iterator[Content]:
    tone = Tone.GOOD if result.ok else Tone.BAD
    answered = sum(result.hosts.values())
    count = f"  {answered}/{len(result.attempts)} pages"
    yield Content.assemble(
        _head("✔" if result.ok else "✖", tone, result.target),
        styled(count, tone),
        styled(f"  {_times(result)}", Tone.QUIET),
        styled(f"  {clean(result.route, 60)}", Tone.QUIET),
    )
    for host, times in result.hosts.items():
        page = f"    Host: {clean(host, 60)}"
        yield Content.assemble(Content(f"{page:<18} "), styled(_bar(times, result), Tone.GOOD), Content(f" {times}"))
    for kind, times in result.failures.items():
        yield Content.assemble(
            styled(f"    {kind:<14} ", Tone.BAD), styled(_bar(times, result), Tone.BAD), Content(f" {times}")
        )
    if result.error:
        yield styled(f"    {clean(result.error, 200)}", Tone.BAD)


def _bar(times: int, result: TargetResult) -> str:
    """One cell an answer, and all in proportion when there are more than fit."""
    most = max(*result.hosts.values(), *result.failures.values(), 1, 1)
    return BAR * (times if most <= BAR_CELLS else max(1, round(times * BAR_CELLS / most)))


def _times(result: TargetResult) -> str:
    """Connect and first byte in milliseconds, p50/p95."""
    parts = []
    for name, pair in (("connect", result.connect_ms), ("first byte", result.first_byte_ms)):
        if pair:
            parts.append(f"{name} {_ms(pair[0])}/{_ms(pair[1])}")
    return f"{' · '.join(parts)} ms" if parts else ""


def _ms(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
