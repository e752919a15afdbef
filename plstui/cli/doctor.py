"""`plstui doctor`: say why the page does not come, and what mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from plstui.cli.documents import text
from plstui.cli.options import command_with_globals
from plstui.cli.output import EXIT_FAILED, EXIT_OK, exit_code_of_all, now_json, print_failures, print_json
from plstui.cli.session import read_both, run_session
from plstui.compose import Options
from plstui.domain.az import shell_option, shell_word
from plstui.domain.findings import diagnose, healthy
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.probe import TargetResult
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from plstui.lab.session import all_targets

_GLYPHS = {Severity.ERROR: "✖", Severity.WARNING: "!", Severity.INFO: "·"}
_INDENT = " " * 11

NOWHERE_ELSE = Options()
"""Where the settings lead by themselves."""


@command_with_globals("doctor")
@click.option(
    "--probe",
    "probes",
    is_flag=True,
    help="Fetch the page from everywhere too, and ask machines that seem ill how cloud-init went.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(options: Options, probes: bool, as_json: bool) -> int:
    """Find what keeps the page from coming, on both sides, and name the remedy."""
    return run_session(options, lambda runtime: examine_once(runtime, options, probes=probes, as_json=as_json))


async def examine_once(runtime: Runtime, options: Options = NOWHERE_ELSE, *, probes: bool, as_json: bool) -> int:
    """Examine both sides and print what is found; returns the exit code. Raises `PlstuiError`."""
    results: list[TargetResult] = []
    if probes:
        await read_both(runtime)
        async for result in runtime.prober.probe(await all_targets(runtime), runtime.probe_count):
            results.append(result)
    world = await runtime.doctor().examine(results, inside=runtime.gate if probes else None)
    return report(world, options, as_json=as_json)


def report(world: World, options: Options = NOWHERE_ELSE, *, as_json: bool) -> int:
    """Print what follows from all that was looked at; returns the exit code."""
    print_failures(world.failures)
    findings = diagnose(world)
    # What could not be looked at is not well.
    good = healthy(findings) and not world.failures
    if as_json:
        print_json({"findings": list(map(finding_json, findings)), "ok": good, "generated_at": now_json()})
    else:
        _print(findings, options, good=good)
    return exit_code_of_all(world.failures.values()) or (EXIT_OK if good else EXIT_FAILED)


def finding_json(finding: Finding) -> dict[str, Any]:
    """FINDING: one thing that is wrong or worth knowing."""
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "where": finding.where.text,
        "evidence": {name: text(value) for name, value in finding.evidence.items()},
        "what": text(finding.what),
        "remedy": text(finding.remedy),
        "az": finding.az or None,
        "fix": finding.fix or None,
    }


def _print(findings: Sequence[Finding], options: Options, *, good: bool) -> None:
    if good:
        click.echo("✔ Nothing is wrong.")
    for finding in findings:
        click.echo(f"{_GLYPHS[finding.severity]} {finding.severity:<7}  {_clean(finding.what)}  [{finding.rule}]")
        click.echo(f"{_INDENT}{_clean(finding.remedy)}")
        for name, value in finding.evidence.items():
            click.echo(f"{_INDENT}{_clean(finding.where.name)}: {name} = {_clean(value)}")
        for line in filter(None, (_command(finding, options), finding.az)):
            click.echo(f"{_INDENT}$ {line}")


def _command(finding: Finding, options: Options) -> str:
    """What of ours mends it, as a command; empty when nothing does."""
    if finding.fix == "approve":
        return " ".join(("plstui connections approve", *_place(options), shell_word(finding.where.text)))
    _, _, step = finding.fix.partition(":")
    return " ".join(("plstui lab up", *_place(options), f"--until {step}")) if step else ""


def _place(options: Options) -> Iterator[str]:
    """The options that lead to where this command has looked: without them another place would be changed."""
    if options.sandbox is not None:
        yield f"--sandbox={shell_word(options.sandbox)}"
    if options.config is not None:
        yield shell_option("--config", str(options.config))
    for side in Side:
        if subscription := options.override.get(side.value, {}).get("subscription"):
            yield shell_option(f"--{side.value}", str(subscription))


def _clean(value: str) -> str:
    return clean(value, 600)
