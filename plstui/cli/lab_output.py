"""What `plstui lab` prints: progress while it goes on, and where the steps stand at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import click

from plstui.cli.documents import target_json, text
from plstui.cli.output import error_json, now_json, print_error, print_json, print_table
from plstui.compose import Options
from plstui.domain.errors import PlstuiError
from plstui.domain.probe import TargetResult
from plstui.domain.states import glyph_of
from plstui.domain.text import clean
from plstui.lab.effort import Effort
from plstui.lab.progress import Event, Kind, StepStatus

_TOLD = frozenset({Kind.SENT, Kind.RETRY, Kind.WAITING, Kind.STEP})
"""The events that a line of progress is printed for; the rest would repeat them."""


def progress(*, to_stderr: bool) -> Callable[[Event], None]:
    """Prints a line for each event that a person wants to see."""

    def tell(event: Event) -> None:
        if event.kind in _TOLD:
            step = event.step
            line = f"{event.seconds:7.1f} s  {step.side.marker} {step.number:>2}  {_line(event)}"
            click.echo(line, err=to_stderr)

    return tell


def _line(event: Event) -> str:
    said = tidy(event.text)
    match event.kind:
        case Kind.SENT:
            return f"   → {said}"
        case Kind.RETRY:
            return f"   ↻ {said}"
        case Kind.WAITING:
            return f"   ◷ {said}"
        case _:
            return said if said == event.step.title else f"{event.step.title}: {said}"


def say(sentence: str) -> None:
    """Tell a person, beside what the command prints: what it is about to ask for, and what it asks for again."""
    click.echo(tidy(sentence), err=True)


def say_again(event: Event) -> None:
    """Tell of a first look what is asked for again."""
    say(event.text)


def say_nothing(_: Event) -> None:
    """For runs that are only looked at."""


def print_steps(
    statuses: Sequence[StepStatus],
    *,
    as_json: bool,
    ok: bool,
    results: Sequence[TargetResult] | None = None,
    failure: PlstuiError | None = None,
) -> None:
    """Where the steps stand, and what a probe and an error add to it: a table, or the JSON document."""
    if as_json:
        probe = None
        if results is not None:
            targets = [target_json(result) for result in results]
            probe = {"targets": targets, "ok": all(result.ok for result in results), "generated_at": now_json()}
        document: dict[str, Any] = {"steps": [step_json(status) for status in statuses], "probe": probe, "ok": ok}
        if failure:
            document["error"] = error_json(failure)
        print_json(document)
        return
    print_table(
        ("step", "", "state", "", ""),
        [
            (
                f"{status.step.side.marker} {status.step.number:>2}",
                status.step.title,
                f"{glyph_of(status.state)} {status.state}",
                f"{status.seconds:.1f} s" if status.seconds else "",
                tidy(status.because or status.shows),
            )
            for status in statuses
        ],
    )
    if failure:
        print_error(failure.message, failure.hint, failure.code, as_json=False)


def print_script(script: str, options: Options) -> None:
    """A script of az commands; where it is of no use any more after this command, that is said."""
    click.echo(script, nl=False)
    if options.starts_sandbox:
        click.echo(
            "This script is only to be read: its sandbox ends with this command. For one to run, start "
            "plstui sandbox serve and name its settings with --config.",
            err=True,
        )


def step_json(status: StepStatus) -> dict[str, Any]:
    """One step, as the contract has it."""
    step = status.step
    return {
        "id": step.id,
        "number": step.number,
        "side": step.side.value,
        "title": step.title,
        "state": status.state.value,
        "because": text(status.because),
        "shows": text(status.shows),
        "seconds": round(status.seconds, 3),
        "writes": status.writes,
    }


def tidy(value: str) -> str:
    """Text for a terminal."""
    return clean(value, 600)


async def carried_out(run: Effort, work: Awaitable[None], kept: type[PlstuiError] = PlstuiError) -> PlstuiError | None:
    """Wait for a run; an error of the `kept` kind comes back, so that what was done can be told with it.

    Whoever is interrupted hears what Azure still does.
    """
    try:
        await work
    except kept as error:
        return error
    except asyncio.CancelledError:
        click.echo("Stopped waiting; the same command goes on from here.", err=True)
        if run.under_way:
            click.echo(f"Azure is still at work on: {', '.join(map(tidy, run.under_way.values()))}.", err=True)
        raise
    return None
