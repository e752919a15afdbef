"""`plstui lab`: plan the workshop, build it, see where it stands, take it down."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import click

from plstui.cli.lab_output import (
    carried_out,
    print_script,
    print_steps,
    progress,
    say,
    say_again,
    say_nothing,
    tidy,
)
from plstui.cli.options import command_with_globals, group_with_globals
from plstui.cli.output import (
    EXIT_FAILED,
    EXIT_OK,
    error_json,
    exit_code_of,
    is_terminal,
    print_error,
    print_json,
)
from plstui.cli.session import run_session
from plstui.cli.signals import agrees
from plstui.cli.tables import print_target
from plstui.compose import Options
from plstui.domain.errors import Retrying
from plstui.domain.probe import TargetResult
from plstui.engine.gate import unasked
from plstui.engine.runtime import Runtime
from plstui.lab import keys, scripts
from plstui.lab.checks import regions
from plstui.lab.checks.problem import PreflightError
from plstui.lab.lab import Lab
from plstui.lab.machines import new_password
from plstui.lab.parts import Step, StepState
from plstui.lab.preflight import preflight
from plstui.lab.progress import Event
from plstui.lab.runner import Run
from plstui.lab.session import approve, lab_of, open_page, page_verdict, subscriptions
from plstui.lab.steps import Choices


@group_with_globals("lab")
def lab() -> None:
    """Build the workshop, step by step or all at once, and take it down again."""


_json = click.option("--json", "as_json", is_flag=True, help="One JSON document.")
_az = click.option("--az", "as_az", is_flag=True, help="Print a shell script of az commands instead.")
_isolated = click.option("--isolated", is_flag=True, help="No NAT gateway: the ISV's network has no way out at all.")


@command_with_globals("plan", lab)
@_isolated
@_az
@_json
def plan(options: Options, isolated: bool, as_az: bool, as_json: bool) -> int:
    """Tell what `up` would do, and why. Changes nothing."""
    _one_format(as_az, as_json)

    async def body(runtime: Runtime) -> int:
        lab, run = await _planned(runtime, say_nothing)
        statuses = run.statuses()
        if as_az:
            print_script(scripts.script(lab.workshop, statuses), options)
        else:
            print_steps(statuses, as_json=as_json, ok=True)
        return EXIT_OK

    return _checked(_with(options, isolated), body, as_json=as_json)


@command_with_globals("status", lab)
@_json
def status(options: Options, as_json: bool) -> int:
    """Tell where each step stands, as Azure has it. Changes nothing."""

    async def body(runtime: Runtime) -> int:
        say("Asking Azure what there is of the lab…")
        lab = lab_as_it_is(runtime)
        run = Run(lab, await lab.survey(say_again, partial=True), say_nothing)
        statuses = run.statuses()
        # A side that is not configured is nobody's fault.
        ok = not any(
            status.state in (StepState.BLOCKED, StepState.FAILED) for status in statuses if not status.step.absent
        )
        print_steps(statuses, as_json=as_json, ok=ok)
        return EXIT_OK if ok else EXIT_FAILED

    return run_session(options, body)


@command_with_globals("up", lab)
@click.option("--until", metavar="STEP", help="Stop after this step, by its number or id.")
@click.option("--approve", "approves", is_flag=True, help="Play the ISV too: approve the request when it comes.")
@click.option("--probe", "probes", is_flag=True, help="Open the page at the end, from everywhere it can be seen.")
@_isolated
@_az
@_json
def up(
    options: Options, until: str | None, approves: bool, probes: bool, isolated: bool, as_az: bool, as_json: bool
) -> int:
    """Build what is missing. What is there already is left as it is."""
    _one_format(as_az, as_json)

    async def body(runtime: Runtime) -> int:
        if not as_az:
            runtime.journal.check()
        tell = progress(to_stderr=as_json)
        lab, run = await _planned(runtime, tell, offer_key=not as_az, until=until, approves=approves)
        steps = _chosen(lab, until)
        if as_az:
            wanted = {step.id for step in steps}
            print_script(scripts.script(lab.workshop, [s for s in run.statuses() if s.step.id in wanted]), options)
            return EXIT_OK
        _show_password(lab, run, steps)
        failure = await carried_out(run, run.up(steps))
        results: list[TargetResult] = []
        page = None
        if probes and failure is None:
            say("Opening the page from everywhere it can be seen…")
            async for result in open_page(runtime, lab.workshop):
                results.append(result)
                if not as_json:
                    print_target(result)
            page = page_verdict(results)
        statuses = run.statuses(page)
        ok = failure is None and not page
        print_steps(statuses, as_json=as_json, ok=ok, results=results if probes else None, failure=failure)
        return EXIT_OK if ok else exit_code_of(failure) if failure else EXIT_FAILED

    return _checked(_with(options, isolated), body, as_json=as_json)


def _checked(options: Options, body: Callable[[Runtime], Awaitable[int]], *, as_json: bool) -> int:
    """Run a command that is told what is in the way: all of it, each with its next step."""
    try:
        return run_session(options, body)
    except PreflightError as error:
        if as_json:
            problems = [
                {"code": one.code, "message": tidy(one.message), "hint": tidy(one.hint)} for one in error.problems
            ]
            print_json({"error": {**error_json(error), "problems": problems}})
        else:
            for one in error.problems:
                print_error(one.message, one.hint, one.code, as_json=False)
        return exit_code_of(error)


async def _planned(
    runtime: Runtime,
    tell: Callable[[Event], None],
    *,
    offer_key: bool = False,
    until: str | None = None,
    approves: bool = False,
) -> tuple[Lab, Run]:
    """The lab as it stands, and a run that can go on from there. Raises `PlstuiError` for what is in the way."""
    public_key = await _public_key(runtime.lab.public_key, offer=offer_key)
    say("Asking Azure what there is of the lab, and what is in the way…")
    password = new_password() if runtime.lab.test_machine == "windows" else ""
    try:
        ready = await preflight(
            runtime.lab,
            subscriptions(runtime),
            runtime.bodies,
            public_key,
            until=until,
            approves=approves,
            password=password,
            say=say,
        )
    except LookupError as error:
        raise click.UsageError(str(error)) from None
    lab = lab_of(runtime, ready.choices)

    async def decide(retrying: Retrying) -> None:
        await approve(runtime, lab.workshop, unasked, retrying)

    return lab, Run(lab, ready.survey, tell, decide if approves else None)


def lab_as_it_is(runtime: Runtime) -> Lab:
    """The lab for looking and for taking down: nothing is created, so neither a key nor a size is needed."""
    return lab_of(runtime, Choices(region=regions.normal(runtime.lab.region), size="", public_key="", run=""))


async def _public_key(setting: str, *, offer: bool) -> str:
    """The key for the machines; where there is none and a person can be asked, one may be made."""
    try:
        return keys.public_key(setting)
    except keys.NoKeyError as error:
        if not offer or not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
            raise
        click.echo(error.message, err=True)
        if not await agrees("Create one?"):
            raise
        return keys.create_key()


def _chosen(lab: Lab, until: str | None) -> Sequence[Step]:
    """The steps of this run: all that these subscriptions can take part in, up to one that is named."""
    steps = lab.workshop.steps
    if until is not None:
        try:
            last = lab.workshop.step(until)
        except LookupError as error:
            raise click.UsageError(str(error)) from None
        return steps[: last.number]
    return [step for step in steps if not step.absent]


def _show_password(lab: Lab, run: Run, steps: Sequence[Step]) -> None:
    """A Windows machine that is about to be made gets a password, which nobody is told again."""
    consumer, password = lab.workshop.consumer, lab.workshop.choices.password
    makes = any(part.key == "client" for step in steps for part in step.parts)
    if password and consumer and makes and run.survey.body(consumer.machine) is None:
        user = lab.workshop.lab.user
        click.echo(f"Password of {user} on {consumer.machine.name}, shown this once: {password}", err=True)


def _with(options: Options, isolated: bool) -> Options:
    """The options with what the command itself sets."""
    if not isolated:
        return options
    return replace(options, override={**options.override, "lab": {"isolated": True}})


def _one_format(as_az: bool, as_json: bool) -> None:
    if as_az and as_json:
        raise click.UsageError("--az prints a script and --json a document; choose one.")
