"""`plstui probe`: fetch the page from every backend, from the balancer, and through the endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from plstui.cli.documents import target_json
from plstui.cli.options import command_with_globals
from plstui.cli.output import (
    EXIT_FAILED,
    EXIT_OK,
    exit_code_of_all,
    now_json,
    print_error,
    print_failures,
    print_json,
)
from plstui.cli.session import read_both, run_session
from plstui.cli.tables import print_target
from plstui.compose import Options
from plstui.domain.absence import TARGETS
from plstui.domain.assertion import Assertion
from plstui.domain.errors import AzureError, NotFoundError, UnreachableError
from plstui.domain.probe import TargetResult, all_well
from plstui.engine.runtime import Runtime
from plstui.lab.session import all_targets

WATCH_INTERVAL = 5.0
"""Seconds between two rounds of `--watch`."""


def _assertions(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[Assertion, ...]:
    try:
        return tuple(Assertion.parse(value) for value in values)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command_with_globals("probe")
@click.option("--count", type=click.IntRange(1, 1000), help="Fresh connections to each target.")
@click.option(
    "--assert",
    "assertions",
    multiple=True,
    callback=_assertions,
    metavar="EXPR",
    help="Fail unless this holds, like hosts>=3 or endpoint.failures==0; decides instead of the targets. Repeatable.",
)
@click.option("--watch", is_flag=True, help=f"Again every {WATCH_INTERVAL:.0f} seconds until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document (with --watch one a line).")
def probe(options: Options, count: int | None, assertions: tuple[Assertion, ...], watch: bool, as_json: bool) -> int:
    """Fetch the page from every backend, from every balancer, and through every endpoint by address and by name."""

    async def body(runtime: Runtime) -> int:
        attempts = count or runtime.probe_count
        while watch:
            try:
                await probe_once(runtime, attempts, assertions, as_json=as_json)
            except (UnreachableError, AzureError) as error:
                # Whoever watches wants to see it come back.
                print_error(error.message, error.hint, error.code, as_json=as_json)
            await asyncio.sleep(WATCH_INTERVAL)
        return await probe_once(runtime, attempts, assertions, as_json=as_json)

    return run_session(options, body)


async def probe_once(runtime: Runtime, count: int, assertions: Sequence[Assertion], *, as_json: bool) -> int:
    """Read both sides, probe what is there and print it; returns the exit code. Raises `PlstuiError`."""
    failures = await read_both(runtime)
    print_failures(failures)
    unseen = [
        (watcher.snapshot.side, kind, error)
        for watcher in runtime.watchers.values()
        for kind, error in watcher.not_read.items()
        # What is of a side that could not be read at all is told above.
        if kind in TARGETS[watcher.snapshot.side] and watcher.snapshot.side not in failures
    ]
    for side, kind, error in unseen:
        print_failures({side: error}, kind.plural)
    trouble = [*failures.values(), *(error for _, _, error in unseen)]
    wanted = await all_targets(runtime)
    if not wanted:
        nothing = NotFoundError(
            "There is nothing to probe: no backend is in a balancer's pool and no endpoint has an address.",
            hint="plstui status shows what there is.",
        )
        raise next(iter(trouble), nothing)
    places = {target: place for place, target in enumerate(wanted)}
    results: list[TargetResult] = []
    async for result in runtime.prober.probe(wanted, count):
        results.append(result)
        if not as_json:
            print_target(result)
    results.sort(key=lambda result: places[result.target])
    held = [(assertion, assertion.holds(results)) for assertion in assertions]
    # What could not be looked at is not well.
    good = not trouble and (all(holds for _, holds in held) if held else all_well(results))
    if as_json:
        print_json(_document(results, held, good))
    for assertion, holds in () if as_json else held:
        click.echo(f"{'holds' if holds else 'FAILS'}: {assertion.text} (it is {assertion.measure(results):g})")
    return exit_code_of_all(trouble) or (EXIT_OK if good else EXIT_FAILED)


def _document(results: Sequence[TargetResult], held: Sequence[tuple[Assertion, bool]], good: bool) -> dict[str, Any]:
    return {
        "targets": [target_json(result) for result in results],
        "assertions": [{"expression": assertion.text, "ok": holds} for assertion, holds in held],
        "ok": good,
        "generated_at": now_json(),
    }
