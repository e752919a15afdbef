"""`plstui lab undo`: take one step back, and nothing of anybody else's without its name typed."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence

import click

from plstui.cli.lab import lab, lab_as_it_is
from plstui.cli.lab_output import carried_out, print_steps, progress, say, say_again, tidy
from plstui.cli.options import command_with_globals
from plstui.cli.output import EXIT_OK, exit_code_of, is_terminal
from plstui.cli.session import run_session
from plstui.cli.signals import agrees, typed_line
from plstui.compose import Options
from plstui.domain.errors import RefusedError
from plstui.domain.text import sentence
from plstui.engine.runtime import Runtime
from plstui.lab.effort import StepFailedError
from plstui.lab.holdings import Doubt
from plstui.lab.parts import Step
from plstui.lab.undo import Undo


@command_with_globals("undo", lab)
@click.argument("name", metavar="STEP")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--yes-delete",
    "confirmed",
    multiple=True,
    metavar="NAME",
    help="Take this resource back although plstui did not create its group, or although it holds other things. "
    "Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def undo(options: Options, name: str, yes: bool, confirmed: tuple[str, ...], as_json: bool) -> int:
    """Take back what one step has made, by its number or id. The last step goes first: what others need stays."""
    asks = is_terminal(sys.stdin) and is_terminal(sys.stderr) and not yes
    if not (yes or asks):
        raise click.UsageError("Without a terminal to ask on, undo needs --yes.")

    async def body(runtime: Runtime) -> int:
        runtime.journal.check()
        lab = lab_as_it_is(runtime)
        try:
            step = lab.workshop.step(name)
        except LookupError as error:
            raise click.UsageError(str(error)) from None
        say("Asking Azure what there is of the lab…")
        run = Undo(lab, await lab.survey(say_again), progress(to_stderr=as_json))
        if reason := run.why_not(step):
            raise RefusedError(reason)
        typed = [*confirmed, *(await _ask(step, await run.doubts(step), confirmed) if asks else ())]
        failure = await carried_out(run, run.undo(step, typed), StepFailedError)
        status = next(status for status in run.statuses() if status.step.id == step.id)
        print_steps([status], as_json=as_json, ok=failure is None, failure=failure)
        return exit_code_of(failure) if failure else EXIT_OK

    return run_session(options, body)


async def _ask(step: Step, doubts: Sequence[Doubt], confirmed: Collection[str]) -> list[str]:
    """Show what would be lost and ask; the names that were typed. Raises `click.Abort` for no."""
    named = {name.strip().casefold() for name in confirmed}
    typed: list[str] = []
    for doubt in doubts:
        name = doubt.id.name
        if name.casefold() in named:
            continue
        click.echo(sentence(tidy(doubt.reason)), err=True)
        click.echo(f"Type its name to take it back: {tidy(name)}", err=True)
        line = (await typed_line()).strip()
        if line.casefold() != name.casefold():
            raise click.Abort
        typed.append(line)
    if not typed and not await agrees(f"Undo step {step.number}, {step.title}?"):
        raise click.Abort
    return typed
