"""What became of changes that a command asked for: RESULT in JSON, and the error of each that was not done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from plstui.cli.documents import text
from plstui.cli.output import error_json
from plstui.domain.change import Change
from plstui.domain.errors import (
    DecidedOtherwiseError,
    NotJournaledError,
    OutcomeUnknownError,
    PlstuiError,
    RefusedError,
    UnreachableError,
    again_in,
)
from plstui.domain.world import World
from plstui.engine.gate import Confirm
from plstui.engine.runtime import Runtime


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one target."""

    target: str
    """As the command line named it."""
    document: dict[str, Any]
    failure: PlstuiError | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that a command line asks for."""

    change: Change[Any, Any]
    confirm: Confirm[Any, Any]
    world: World | None = None
    """What was last seen, where the change is to be possible by that."""
    listed: object = None
    """The target as it was last seen."""


async def result_of(
    runtime: Runtime,
    target: str,
    verb: str,
    wanted: Callable[[], Wanted],
    facts: Callable[[Any], dict[str, Any]],
) -> Result:
    """One target's result; an error is a result, so that the other targets are still done.

    `wanted` finds out what is to be changed, and may raise `PlstuiError`; `facts` says what a result tells of the
    target as it was read, or of None.
    """
    document: dict[str, Any] = {"id": None, "verb": verb, "ok": False, **facts(None), "unread": None, "error": None}
    try:
        what = wanted()
        document |= {"id": what.change.target.text, **facts(what.listed)}
        outcome = await runtime.gate.perform(
            what.change,
            what.confirm,
            world=what.world,
            retrying=tell_of_waiting,
            seen=lambda state: document.update(facts(state)),
        )
        if outcome is None:
            raise RefusedError("You said no; nothing was sent.")
        document |= {"ok": True, **facts(outcome.after), "unread": text(outcome.unread)}
    except PlstuiError as error:
        match error:
            case DecidedOtherwiseError():
                document |= facts(error.now)
            case NotJournaledError():
                document |= facts(error.after)
            case OutcomeUnknownError():
                document |= {**facts(None), "unread": text(error.why)}
            case UnreachableError():
                document |= facts(None)
        document["error"] = {**error_json(error), "target": text(target)}
        return Result(target, document, error)
    return Result(target, document)


def tell_of_waiting(error: PlstuiError, pause: float) -> None:
    """Say on standard error what is tried again, and in how many seconds."""
    click.echo(text(again_in(error, pause)), err=True)
