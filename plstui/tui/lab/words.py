"""The lab in words: what the lab screen shows of steps, events and what is to be built, as harmless text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from plstui.domain.connection import PENDING
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.text import clean
from plstui.lab import az
from plstui.lab.parts import Part, Step, StepState, Survey, Want, lack_of
from plstui.lab.progress import Event, Kind, StepStatus
from plstui.lab.steps import Workshop
from plstui.lab.teardown import Teardown
from plstui.tui.lab.commands import LabContext, approve_why_not, is_decision
from plstui.tui.state import Line
from plstui.tui.tones import BUSY, BUSY_GLYPH

LOOKS: Final[dict[StepState, tuple[str, str]]] = {
    StepState.DONE: ("✔", Tone.GOOD),
    StepState.NEEDED: ("·", Tone.QUIET),
    StepState.BLOCKED: ("⊘", Tone.WAITING),
    StepState.RUNNING: (BUSY_GLYPH, BUSY),
    StepState.FAILED: ("✖", Tone.BAD),
}
"""Glyph and tone of each state."""

LONGEST: Final = 600
"""Characters of a sentence that Azure or the other side had a hand in."""

_LOG: Final[dict[Kind, tuple[str, str]]] = {
    Kind.SENT: ("→", BUSY),
    Kind.DONE: ("✔", Tone.GOOD),
    Kind.RETRY: ("↻", Tone.WAITING),
    Kind.WAITING: ("◷", Tone.WAITING),
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the lab's log."""

    at: datetime
    line: Line
    step: Step | None = None
    """The step it belongs to."""


@dataclass(frozen=True, slots=True)
class StepText:
    """Everything that is told of one step."""

    title: str
    badge: Line
    because: str
    why: str
    blade: str
    parts: tuple[Line, ...]
    """What is sent and what is waited for, each with how it stands."""
    outcome: tuple[tuple[str, Line], ...]
    """What has come of it: names and values."""
    az: tuple[str, ...]
    """The commands that do the same."""


def badge(status: StepStatus) -> Line:
    """Glyph and word of where a step stands; for a decision nothing runs, it is waited for."""
    if status.state is StepState.RUNNING and is_decision(status.step):
        return Line("◷ waiting", Tone.WAITING)
    glyph, tone = LOOKS[status.state]
    return Line(f"{glyph} {status.state}", tone)


def elapsed(seconds: float) -> str:
    """How long a step has taken: `0.4 s`, `12 s`, `2:05`; empty for no time at all."""
    if seconds <= 0:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def event_line(event: Event) -> Line | None:
    """An event as a line of the log; None for one that only repeats what others and the list of steps say."""
    said = clean(event.text, LONGEST)
    if event.kind is Kind.DONE or said == event.step.title:
        return None
    if event.kind is not Kind.STEP:
        glyph, tone = _LOG[event.kind]
        return Line(f"{glyph} {said}", tone)
    if said == "done":
        return Line(f"✔ {event.step.title}", Tone.GOOD)
    if said == "undone":
        return Line(f"↶ {event.step.title}: undone", Tone.QUIET)
    return Line(f"✖ {event.step.title}: {said.removeprefix('failed: ')}", Tone.BAD)


def in_front(context: LabContext) -> Step | None:
    """The step that a person should be looking at: what waits for a decision, else what runs, else what comes next.

    Where nobody can decide on the request any more, it is the step that has made the request.
    """
    running = [status.step for status in context.statuses if status.state is StepState.RUNNING]
    if running:
        return next(filter(is_decision, running), running[0])
    coming = context.next
    if coming and context.ended and is_decision(coming.step) and approve_why_not(context):
        asked = {key for part in coming.step.parts for key in part.needs}
        return next(status.step for status in context.statuses if asked & {part.key for part in status.step.parts})
    found = coming or (context.statuses[-1] if context.statuses else None)
    return found.step if found else None


def done_steps(statuses: Iterable[StepStatus]) -> frozenset[str]:
    """The ids of the steps that are done."""
    return frozenset(status.step.id for status in statuses if status.state is StepState.DONE)


def settled(lines: tuple[LogLine, ...], statuses: Iterable[StepStatus]) -> tuple[LogLine, ...]:
    """The log's lines; what failed of a step that is done by now is no alarm any more."""
    done = done_steps(statuses)

    def calm(log: LogLine) -> LogLine:
        over = log.step and log.step.id in done and log.line.tone == Tone.BAD
        return replace(log, line=Line(log.line.text, Tone.QUIET)) if over else log

    return tuple(map(calm, lines))


def asks(context: LabContext) -> bool:
    """Whether the lab's request waits for a decision that can be made here."""
    request = context.request
    return request is not None and request.status == PENDING and not approve_why_not(context)


def asking(context: LabContext, *, deciding: bool, reading: bool) -> str:
    """What Azure is being asked, as long as no step shows that it is being worked on."""
    if deciding:
        return "approval: asking the service how the request stands"
    if context.doing and all(status.state is not StepState.RUNNING for status in context.statuses):
        return f"{context.doing}: asking Azure what there is"
    return "asking Azure where the steps stand" if reading else ""


def notice(context: LabContext, asking: str, wrong: str) -> Line:
    """What a person should know before anything else: what Azure is being asked, what waits, what is wrong."""
    if asking:
        return Line(f"{BUSY_GLYPH} {asking}…", BUSY)
    if context.request and asks(context):
        message = clean(context.request.message, 200)
        approves = f"◷ {context.keys['lab-approve']} approves {clean(context.request.endpoint_name, 80)}"
        return Line(f"{approves}: {message}" if message else approves, Tone.WAITING)
    return Line(f"✖ {wrong}" if wrong else "", Tone.BAD)


def home_note(context: LabContext) -> Line:
    """What the main screen says of a run; empty while there is none."""
    if not context.doing:
        return Line()
    if asks(context):
        return Line(f"◷ lab: {context.keys['lab-approve']} to approve", Tone.WAITING)
    return Line(f"{BUSY_GLYPH} lab: {len(done_steps(context.statuses))} of {len(context.statuses)} done", BUSY)


def step_text(
    workshop: Workshop,
    status: StepStatus,
    survey: Survey,
    *,
    under_way: Mapping[ResourceId, str],
    results: Sequence[TargetResult],
    teardown: Teardown | None = None,
) -> StepText:
    """What is told of a step as it stands."""
    step = status.step
    return StepText(
        title=f"{step.side.marker} {step.number}  {step.title}",
        badge=badge(status),
        because=clean(status.because, LONGEST),
        why=step.why,
        blade=step.blade,
        parts=tuple(_part_line(part, survey, under_way) for part in step.parts),
        outcome=tuple(_outcome(workshop, step, survey, results)),
        az=az_lines(workshop, step, teardown),
    )


def az_lines(workshop: Workshop, step: Step, teardown: Teardown | None = None) -> tuple[str, ...]:
    """The az commands of a step; of one that takes the lab down, the script that does all of that."""
    if step.absent:
        return ()
    text = teardown.script() if teardown and step in teardown.steps else az.commands(workshop, step)
    return tuple(filter(None, text.splitlines()))


def _part_line(part: Part, survey: Survey, under_way: Mapping[ResourceId, str]) -> Line:
    what = clean(part.what, 120)
    if isinstance(part, Want) and part.id in under_way and part.lack(survey):
        return Line(f"{BUSY_GLYPH} {what}", BUSY)
    if lack_of(part, survey) is None:
        return Line(f"✔ {what}", Tone.GOOD)
    return Line(f"{'·' if isinstance(part, Want) else '◷'} {what}", Tone.QUIET)


# What has come of a step


def _outcome(
    workshop: Workshop, step: Step, survey: Survey, results: Sequence[TargetResult]
) -> Iterator[tuple[str, Line]]:
    provider, consumer = workshop.provider, workshop.consumer
    if step.id == "machines" and provider:
        for machine, interface in zip(provider.machines, provider.interfaces, strict=True):
            if body := survey.body(machine):
                zones = " ".join(map(str, body.get("zones") or ()))
                yield machine.name, Line(clean(f"{_address(survey.body(interface))}  zone {zones}", 80))
    elif step.id in ("service", "offer") and provider and (service := survey.body(provider.service)):
        yield "Alias", Line(clean(str(_properties(service).get("alias") or ""), 200))
        yield "Id", Line(provider.service.text)
    elif step.id in ("endpoint", "approval") and consumer and survey.body(consumer.endpoint):
        yield "Message", Line(clean(workshop.lab.message, 200))
    elif step.id in ("address", "record") and consumer and (address := consumer.address(survey)):
        yield "Address", Line(clean(address, 60))
    elif step.opens_page:
        yield from ((clean(result.target.name, 60), page_line(result)) for result in results)


def page_line(result: TargetResult) -> Line:
    """What came from one target, and how often."""
    hosts = ", ".join(f"{clean(host, 60)} ×{count}" for host, count in result.hosts.items())
    hosts = f"Host: {hosts}" if hosts else ""
    if result.ok:
        return Line(f"✔ {hosts}", Tone.GOOD)
    return Line(f"✖ {clean(result.error, 300)}{f' ({hosts})' if hosts else ''}", Tone.BAD)


def _properties(body: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return (body or {}).get("properties") or {}


def _address(interface: Mapping[str, Any] | None) -> str:
    configurations = _properties(interface).get("ipConfigurations") or [{}]
    return str(_properties(configurations[0]).get("privateIPAddress") or "no address")


# What is to be built


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would write."""

    sides: tuple[tuple[Side, str, tuple[tuple[int, str], ...]], ...]
    """Each side that is written to, its subscription, and what is created there, by the step's number."""
    keys: frozenset[str]
    """The parts that are written."""


def plan(statuses: Iterable[StepStatus], subscriptions: Mapping[Side, str]) -> Plan | None:
    """What steps would write; None when nothing is left to write."""
    lines: dict[Side, list[tuple[int, str]]] = {}
    keys: set[str] = set()
    for status in statuses:
        wants = [part for part in status.step.parts if isinstance(part, Want) and part.key in status.lacking]
        keys.update(want.key for want in wants)
        for side in Side:
            if names := ", ".join(clean(want.what, 120) for want in wants if want.side is side):
                lines.setdefault(side, []).append((status.step.number, names))
    if not keys:
        return None
    sides = tuple((side, clean(subscriptions[side], 60), tuple(lines[side])) for side in Side if side in lines)
    return Plan(sides, frozenset(keys))


def numbers(steps: Sequence[Step]) -> str:
    """Steps by their numbers: `step 3`, `steps 1 to 9`."""
    first, last = steps[0].number, steps[-1].number
    return f"step {first}" if first == last else f"steps {first} to {last}"
