"""`plstui connections`: list the connections, and decide on them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from plstui.cli.documents import connection_json, text
from plstui.cli.main import cli, command_with_globals
from plstui.cli.output import EXIT_FAILED, EXIT_NOT_FOUND, EXIT_OK, error_json, print_error, print_json
from plstui.cli.session import read_both, run_session
from plstui.cli.tables import print_connections
from plstui.compose import Options
from plstui.domain.connection import ConnectionStatus, Verb
from plstui.domain.errors import NotFoundError, PlstuiError, RefusedError
from plstui.domain.text import clean
from plstui.domain.world import Link, World
from plstui.engine.actions import Actions, Intent
from plstui.engine.runtime import Runtime


@cli.group()
def connections() -> None:
    """List private endpoint connections, approve, reject or remove them."""


@command_with_globals(connections, "list")
@click.option("--status", metavar="STATUS", help="Only connections in this status, like Pending.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_connections(options: Options, status: str | None, as_json: bool) -> int:
    """List the connections, joined from both sides."""

    async def read(runtime: Runtime) -> tuple[Link, ...]:
        await read_both(runtime)
        return runtime.world().links()

    links = run_session(options, read)
    if status:
        links = tuple(link for link in links if link.status == ConnectionStatus.parse(status))
    if as_json:
        print_json({"connections": [connection_json(link) for link in links]})
    else:
        print_connections(links)
    return EXIT_OK


def _declare(verb: Verb, words: str) -> None:
    """One command per verb: they differ in nothing but the verb."""

    @click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
    @click.option("--description", metavar="TEXT", help="What the other side reads; at most 140 characters.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document.")
    def decide(options: Options, targets: tuple[str, ...], description: str | None, yes: bool, as_json: bool) -> int:
        if verb is not Verb.APPROVE and not yes and not sys.stdin.isatty():
            raise click.UsageError(f"Without a terminal to ask on, {verb} needs --yes.")
        ask = not yes and sys.stdin.isatty() and not as_json

        async def body(runtime: Runtime) -> list[dict[str, Any]]:
            await read_both(runtime)
            return [await _decide(runtime, verb, target, description, ask=ask) for target in targets]

        results = run_session(options, body)
        if as_json:
            print_json({"results": results})
        else:
            _print_results(verb, results)
        return _exit_code(results)

    decide.__doc__ = f"{words}\n\nTARGET is a connection's id or name, or its endpoint's name where that is unique."
    command_with_globals(connections, verb.value)(decide)


_declare(Verb.APPROVE, "Approve connections: traffic may flow.")
_declare(Verb.REJECT, "Reject connections. Take it as one-way: Azure need not allow to approve them later.")
_declare(Verb.REMOVE, "Remove connections. The customer's endpoints become Disconnected and can only be deleted.")


async def _decide(
    runtime: Runtime, verb: Verb, target: str, description: str | None, *, ask: bool
) -> dict[str, Any]:
    """One target's result; an error is a result, so that the other targets are still done."""
    result: dict[str, Any] = {"id": None, "verb": verb.value, "ok": False, "status": None, "error": None}
    link: Link | None = None
    try:
        link = _find(runtime.world(), target)
        result["id"], result["status"] = link.id.text, link.status.word
        outcome = await _actions(runtime).perform(verb, link, _confirm(ask), description=description)
        if outcome is None:
            raise RefusedError("You said no; nothing was sent.")
        result["ok"] = True
        result["status"] = outcome.connection.status.word if outcome.connection else None
    except PlstuiError as error:
        result["error"] = {**error_json(error), "target": text(target)}
    return result


def _actions(runtime: Runtime) -> Actions:
    if runtime.actions is None:
        raise RefusedError("Only the ISV's side can decide.", hint="Name its subscription with --isv.")
    return runtime.actions


def _find(world: World, target: str) -> Link:
    """The one link a target names. Raises `NotFoundError` and, where it names several, `RefusedError`."""
    found = world.find(target)
    if not found:
        raise NotFoundError(
            f"There is no connection {clean(target, 120)!r}.", hint="plstui connections list shows them.", code="NotFound"
        )
    if len(found) > 1:
        names = ", ".join(clean(link.name, 80) for link in found[:5])
        raise RefusedError(f"{clean(target, 120)!r} names {len(found)} connections.", hint=f"Say which: {names}.")
    return found[0]


def _confirm(ask: bool) -> Callable[[Intent], Any]:
    async def confirm(intent: Intent) -> str | None:
        if not ask:
            return intent.description
        endpoint = clean(intent.connection.name, 120)
        click.echo(f"{intent.verb.value.capitalize()} {endpoint}, now {intent.connection.status}:", err=True)
        click.echo(f"  {intent.az()}", err=True)
        return intent.description if click.confirm("Send it?", err=True) else None

    return confirm


def _print_results(verb: Verb, results: list[dict[str, Any]]) -> None:
    for result in results:
        if result["ok"]:
            name = str(result["id"]).rsplit("/", 1)[-1]
            click.echo(f"{clean(name, 120)}: {result['status'] or verb.done}")
        else:
            error = result["error"]
            print_error(error["message"], error["hint"], error["code"], as_json=False)


def _exit_code(results: list[dict[str, Any]]) -> int:
    """0 when all went well, 4 when all that failed was not there, else 1."""
    failed = [result for result in results if not result["ok"]]
    if not failed:
        return EXIT_OK
    missing = all(result["id"] is None and result["error"]["code"] == "NotFound" for result in failed)
    return EXIT_NOT_FOUND if missing else EXIT_FAILED
