"""`plstui lab down`: take the workshop down, and nothing that is not the workshop's without its name typed."""

from __future__ import annotations

import sys
from collections.abc import Collection

import click

from plstui.cli.lab import lab, lab_as_it_is
from plstui.cli.lab_output import carried_out, print_script, print_steps, progress, say, tidy
from plstui.cli.options import command_with_globals
from plstui.cli.output import EXIT_FAILED, EXIT_OK, exit_code_of, is_terminal
from plstui.cli.session import run_session
from plstui.cli.signals import agrees, typed_line
from plstui.compose import Options
from plstui.domain.sides import Side
from plstui.domain.text import sentence
from plstui.engine.runtime import Runtime
from plstui.lab.inventory import Group, Inventory, take_stock
from plstui.lab.parts import StepState
from plstui.lab.teardown import Teardown


@command_with_globals("down", lab)
@click.option("--side", type=click.Choice([side.value for side in Side]), help="One side only; both if left out.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--yes-delete",
    "confirmed",
    multiple=True,
    metavar="GROUP",
    help="Delete this resource group although plstui did not create it, or although it holds other things. Repeatable.",
)
@click.option("--az", "as_az", is_flag=True, help="Print a shell script of az commands instead.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def down(options: Options, side: str | None, yes: bool, confirmed: tuple[str, ...], as_az: bool, as_json: bool) -> int:
    """Take the lab down: connections, endpoint, service, then both resource groups. Nothing else is touched."""
    if as_az and as_json:
        raise click.UsageError("--az prints a script and --json a document; choose one.")
    asks = is_terminal(sys.stdin) and is_terminal(sys.stderr) and not yes
    if not (as_az or yes or asks):
        raise click.UsageError("Without a terminal to ask on, down needs --yes.")
    sides = tuple(Side) if side is None else (Side(side),)

    async def body(runtime: Runtime) -> int:
        if not as_az:
            runtime.journal.check()
        lab = lab_as_it_is(runtime)
        say("Asking Azure what there is to take down…")
        inventory = await take_stock(lab, say)
        tell = progress(to_stderr=as_json)
        run = Teardown(lab, inventory, tell, sides=sides, confirmed=confirmed)
        told = _tell_notes(run)
        if as_az:
            run.refuse()
            print_script(run.script(), options)
            return EXIT_OK
        if asks:
            run = Teardown(lab, inventory, tell, sides=sides, confirmed=[*confirmed, *await _ask(inventory, sides)])
        failure = await carried_out(run, run.down())
        _tell_notes(run, told)
        statuses = run.statuses()
        # What is not this person's to take away is no failure of taking away the rest.
        ok = failure is None and all(status.state is StepState.DONE for status in statuses if not status.step.absent)
        print_steps(statuses, as_json=as_json, ok=ok, failure=failure)
        return EXIT_OK if ok else exit_code_of(failure) if failure else EXIT_FAILED

    return run_session(options, body)


def _tell_notes(run: Teardown, told: Collection[str] = ()) -> tuple[str, ...]:
    """Say what stays behind and was not said yet; gives all that is so."""
    notes = run.notes()
    for note in notes:
        if note not in told:
            click.echo(tidy(note), err=True)
    return notes


async def _ask(inventory: Inventory, sides: Collection[Side]) -> list[str]:
    """Show what would be lost and ask; the names of groups that were typed. Raises `click.Abort` for no."""
    groups = [group for side, group in inventory.groups.items() if side in sides and group.exists]
    if not groups:
        return []
    for group in groups:
        _show(group)
    if inventory.guests and Side.ISV in sides:
        names = ", ".join(tidy(guest.endpoint_id.name) for guest in inventory.guests)
        click.echo(f"Connections that end: {names}", err=True)
    typed: list[str] = []
    for group in groups:
        if group.doubt:
            click.echo(sentence(tidy(group.doubt)), err=True)
            click.echo(f"Type its name to delete it: {group.id.name}", err=True)
            line = await typed_line()
            if line.strip().casefold() != group.id.name.casefold():
                raise click.Abort
            typed.append(line.strip())
    if len(typed) < len(groups) and not await agrees("Delete all this?"):
        raise click.Abort
    return typed


def _show(group: Group) -> None:
    owner = "created by plstui" if group.is_ours else "not created by plstui"
    click.echo(f"{group.side.marker} {group.id.name} ({owner}):", err=True)
    for content in group.contents:
        mark = "" if content.is_labs else "  ! not the lab's"
        click.echo(f"     {tidy(content.id.name)}  {content.id.type}{mark}", err=True)
