"""What the doctor says, in the words and signs of the interface; knows no widget."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from textual.message import Message

from plstui.domain.connection import CONNECTION_TYPE, endpoint_name_of
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.tui.clock import clock_time
from plstui.tui.commands import Keys
from plstui.tui.details import LONGEST, Detail, Details
from plstui.tui.state import Line
from plstui.tui.tones import BUSY, BUSY_GLYPH

NAMED: Final = 3
"""Machines that the verdict calls by name."""

TONES: Final = {Severity.ERROR: Tone.BAD, Severity.WARNING: Tone.WAITING, Severity.INFO: Tone.QUIET}
_GLYPHS: Final = {Severity.ERROR: "✖", Severity.WARNING: "!", Severity.INFO: "·"}
_COUNTED: Final = {
    Severity.ERROR: ("error", "errors"),
    Severity.WARNING: ("warning", "warnings"),
    Severity.INFO: ("hint", "hints"),
}

APPROVE: Final = "approve"
_STEP: Final = "step:"


@dataclass(frozen=True, slots=True)
class Examination:
    """The last look of the doctor at both sides."""

    findings: tuple[Finding, ...] = ()
    """The worst first; while the next look is under way, what the one before has found."""
    running: bool = False
    at: datetime | None = None
    """When it was begun; None before the first."""
    results: tuple[TargetResult, ...] = ()
    """What was used of the last probe."""
    asking: tuple[ResourceId, ...] = ()
    """The machines that are being asked how their setting up went; the rest has been looked at."""
    inside: tuple[ResourceId, ...] = ()
    """The machines that said how their setting up went."""
    outside: tuple[ResourceId, ...] = ()
    """The machines that seem ill and were not looked into."""
    outside_why: str = ""
    """Why not, or how they would be."""
    trouble: tuple[str, ...] = ()
    """What could not be looked at, and why: a harmless sentence each."""
    blind: bool = False
    """Whether nothing could be looked at."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """The steps of the lab by id, as they are called."""
    endpoint: ResourceId | None = None
    """The lab's endpoint: of another one no step knows."""
    world: World = field(default_factory=World, compare=False, repr=False)
    """Both sides as the panes showed them when it was begun."""

    def step(self, finding: Finding) -> str:
        """The id of the step of the lab that mends a finding; empty when none does."""
        if finding.where.is_type(Kind.ENDPOINTS) and finding.where != self.endpoint:
            return ""
        step_id = finding.fix.removeprefix(_STEP)
        return step_id if finding.fix.startswith(_STEP) and step_id in self.steps else ""


@dataclass
class Examined(Message):
    """The doctor's look has come further, or to its end."""

    examination: Examination


def badge(severity: Severity) -> str:
    """Glyph and word of a severity."""
    return f"{_GLYPHS[severity]} {severity}"


def summary(examination: Examination, world: World, keys: Keys) -> Iterator[Line]:
    """How it went, when, and whether that is still how things are; then what could not be looked at."""
    if examination.running:
        asking = f"asking {_names(examination.asking)} how cloud-init went…"
        yield Line(f"{BUSY_GLYPH} {asking if examination.asking else 'looking at everything on both sides…'}", BUSY)
        return
    if examination.at is None:
        yield Line(f"Press {keys['doctor']} to find out why the page does not come.", Tone.QUIET)
        return
    if not examination.blind:
        yield _verdict(examination)
        looked = f"looked at {clock_time(examination.at)}"
        if examination.world != world:
            yield Line(f"  ◷ {looked}, changed since: {keys['doctor']} looks again", Tone.WAITING)
        else:
            yield Line(f"  {', '.join((looked, *_extent(examination)))}", Tone.QUIET)


def _extent(examination: Examination) -> Iterator[str]:
    """What was looked at beyond what Azure says."""
    if examination.results:
        yield "with the last probe"
    else:
        yield "without a probe"
    if examination.inside:
        yield f"into {_names(examination.inside)}"


def outside(examination: Examination) -> Iterator[Line]:
    """Which machines seem ill and were not looked into."""
    if examination.outside:
        names = _names(examination.outside)
        yield Line(f"· did not look into {names}: {examination.outside_why}", Tone.WAITING)


def _names(machines: Sequence[ResourceId]) -> str:
    """The first machines by name, and how many more there are."""
    first = ", ".join(_name(machine) for machine in machines[:NAMED])
    return f"{first} and {len(machines) - NAMED} more" if len(machines) > NAMED else first


def _verdict(examination: Examination) -> Line:
    count = Counter(finding.severity for finding in examination.findings)
    found = ", ".join(
        f"{number} {_COUNTED[severity][number != 1]}" for severity in Severity if (number := count[severity])
    )
    worst = next((severity for severity in Severity if count[severity]), Severity.INFO)
    if worst is not Severity.INFO:
        return Line(f"{_GLYPHS[worst]} {found}", TONES[worst])
    if examination.trouble:
        # Half of it was not seen.
        return Line(f"· nothing is wrong in what could be read{f', {found}' if found else ''}", Tone.QUIET)
    return Line(f"✔ nothing is wrong{f', {found}' if found else ''}", Tone.GOOD)


def mended_by(examination: Examination, finding: Finding, keys: Keys) -> tuple[str, str]:
    """The key that mends a finding, and how, in a few words; both empty when none does."""
    if finding.fix == APPROVE:
        return keys["approve"], "approves it"
    step_id = examination.step(finding)
    return (keys["lab"], f"opens {examination.steps[step_id]}") if step_id else ("", "")


def where(finding: Finding, world: World) -> str:
    """The resource to look at, and whose it is."""
    side = _side(finding.where, world)
    return f"{f'{side.marker} ' if side else ''}{_name(finding.where)}"


def _name(resource_id: ResourceId) -> str:
    # A connection is called after its endpoint; the guid behind that tells a person nothing.
    connection = resource_id.is_type(CONNECTION_TYPE)
    return clean(endpoint_name_of(resource_id.name) if connection else resource_id.name, 80)


def _side(resource_id: ResourceId, world: World) -> Side | None:
    for snapshot in (world.isv, world.customer):
        if snapshot and snapshot.subscription.lower() == resource_id.subscription.lower():
            return snapshot.side
    return None


def evidence(finding: Finding) -> Iterator[str]:
    """What proves it: `property = value`."""
    for name, value in finding.evidence.items():
        yield f"{clean(name, 80)} = {clean(value, LONGEST)}"


def details(examination: Examination, finding: Finding, keys: Keys) -> Details:
    """All of a finding, for the details screen."""
    place, tone = finding.where, TONES[finding.severity]
    side = _side(place, examination.world)
    return Details(
        f"Doctor: {_name(place)}",
        (
            Detail("Severity", badge(finding.severity), tone),
            Detail("What is wrong" if finding.severity is not Severity.INFO else "Good to know", finding.what, tone),
            Detail("What to do", finding.remedy),
            Detail("With plstui", " ".join(mended_by(examination, finding, keys)).strip()),
            *(Detail("What proves it", line) for line in evidence(finding)),
            Detail("Where", where(finding, examination.world)),
            Detail("Type", place.type),
            Detail("Resource group", place.resource_group),
            Detail("Subscription", f"{place.subscription}{f' ({side.label})' if side else ''}"),
            Detail("Id", place.text),
            Detail("Rule", finding.rule),
        ),
        clean(place.text, LONGEST),
        finding.az,
    )
