"""`plstui connections`: list the connections, and decide on them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from plstui.cli.documents import connection_json
from plstui.cli.options import command_with_globals, group_with_globals
from plstui.cli.output import exit_code_of_all, is_terminal, print_error, print_failures, print_json
from plstui.cli.results import Result, Wanted, result_of, tell_of_waiting
from plstui.cli.session import read_world, refresh_patiently, run_session
from plstui.cli.signals import agrees
from plstui.cli.tables import print_connections
from plstui.compose import Options
from plstui.domain.absence import absence
from plstui.domain.connection import CONNECTION_TYPE, STATUSES, Connection, ConnectionStatus, Verb
from plstui.domain.decision import MAX_DESCRIPTION, Decision, decision
from plstui.domain.errors import (
    NotFoundError,
    RefusedError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.domain.world import Link, World
from plstui.engine.gate import Confirm
from plstui.engine.runtime import Runtime


@group_with_globals("connections")
def connections() -> None:
    """List private endpoint connections, approve, reject or remove them."""


@command_with_globals("list", connections)
@click.option("--status", metavar="STATUS", help="Only connections in this status, like Pending.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_connections(options: Options, status: str | None, as_json: bool) -> int:
    """List the connections, joined from both sides."""

    world, failures = run_session(options, read_world)
    everything = links = world.links()
    if status:
        links = in_status(everything, status, complete=not failures)
    if as_json:
        print_json({"connections": [connection_json(link) for link in links]})
    elif status and everything and not links:
        nothing = none_is(ConnectionStatus.parse(status), len(everything))
        click.echo(absence(world, nothing, what=f"connection that is {ConnectionStatus.parse(status)}"))
    else:
        print_connections(links, world)
    print_failures(failures)
    return exit_code_of_all(failures.values())


def in_status(links: Sequence[Link], status: str, *, complete: bool) -> tuple[Link, ...]:
    """The links in a status, in any case; Azure may have words that it does not document.

    Raises `click.UsageError` for a word that is neither documented nor there when `links` is `complete`.
    """
    wanted = ConnectionStatus.parse(status).word.lower()
    known = {word.lower(): word for word in (*STATUSES, *(link.status.word for link in links))}
    if wanted not in known and complete:
        raise click.UsageError(f"There is no status {clean(status, 40)!r}; there are {', '.join(known.values())}.")
    return tuple(link for link in links if link.status.word.lower() == wanted)


def none_is(status: ConnectionStatus, others: int) -> str:
    """What is said instead of an empty table where `others` connections have another status."""
    rest = "1 is in another status" if others == 1 else f"{others} are in other statuses"
    return f"No connection is {status}; {rest}."


def _description(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Refuse what could not be sent whole: it is for somebody else to read."""
    if value is not None and (len(value.splitlines()) > 1 or clean(value, MAX_DESCRIPTION) != " ".join(value.split())):
        raise click.BadParameter(f"it is one line of at most {MAX_DESCRIPTION} visible characters.")
    return value


def _declare(verb: Verb, words: str) -> None:
    """One command per verb: they differ in nothing but the verb."""

    @click.argument("targets", nargs=-1, required=True, metavar="TARGET…")
    @click.option(
        "--description",
        metavar="TEXT",
        callback=_description,
        # A removal takes it only to say why not.
        hidden=verb is Verb.REMOVE,
        help=f"What the other side reads; at most {MAX_DESCRIPTION} characters.",
    )
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.option("--json", "as_json", is_flag=True, help="One JSON document.")
    def decide(options: Options, targets: tuple[str, ...], description: str | None, yes: bool, as_json: bool) -> int:
        if verb is not Verb.APPROVE and not yes and not is_terminal(sys.stdin):
            raise click.UsageError(f"Without a terminal to ask on, {verb} needs --yes.")
        if verb is Verb.REMOVE and description is not None:
            raise click.UsageError("A removal carries no description; leave out --description.")
        ask = not yes and is_terminal(sys.stdin)

        results = run_session(options, lambda runtime: decide_all(runtime, verb, targets, description, ask=ask))
        if as_json:
            print_json({"results": [result.document for result in results]})
        else:
            print_results(verb, results)
        return exit_code_of_all(result.failure for result in results if result.failure)

    decide.__doc__ = f"{words}\n\nTARGET is a connection's id or name, or its endpoint's name where that is unique."
    command_with_globals(verb.value, connections)(decide)


_declare(Verb.APPROVE, "Approve connections: traffic may flow.")
_declare(Verb.REJECT, "Reject connections. Take it as one-way: Azure need not allow to approve them later.")
_declare(Verb.REMOVE, "Remove connections. The customer's endpoints become Disconnected and can only be deleted.")


async def decide_all(
    runtime: Runtime, verb: Verb, targets: Sequence[str], description: str | None, *, ask: bool
) -> list[Result]:
    """Every target's result, one after the other. What a name means is looked up once, an id needs no look."""
    await _look_up(runtime, [target for target in targets if _connection_id(target) is None])
    return [await decide_one(runtime, verb, target, description, ask=ask) for target in _once(runtime.world(), targets)]


async def _look_up(runtime: Runtime, names: Sequence[str]) -> None:
    """Read as much as it takes to find these connections: the ISV's services, and the customer's for what is left.

    What cannot be read is not there then, and the ISV's watcher knows why.
    """
    for watcher in (runtime.watchers.get(Side.ISV), runtime.watchers.get(Side.CUSTOMER)):
        if all(runtime.world().find(name) for name in names):
            return
        if watcher:
            await refresh_patiently(watcher, tell_of_waiting)
            if watcher.blind:
                return


def _connection_id(target: str) -> ResourceId | None:
    """The id that a target is; None for a name."""
    try:
        found = ResourceId.parse(target)
    except ValueError:
        return None
    return found if found.is_type(CONNECTION_TYPE) else None


def _once(world: World, targets: Sequence[str]) -> list[str]:
    """The targets without those that name again what one before them names: that is decided on by then."""
    kept: dict[ResourceId | str, str] = {}
    for target in targets:
        found = world.find(target)
        kept.setdefault(_connection_id(target) or (found[0].id if len(found) == 1 else target), target)
    return list(kept.values())


async def decide_one(runtime: Runtime, verb: Verb, target: str, description: str | None, *, ask: bool) -> Result:
    """One target's result."""

    def wanted() -> Wanted:
        if Side.ISV not in runtime.watchers:
            raise RefusedError("Only the ISV's side can decide.", hint="Name its subscription with --isv.")
        found = _found(runtime, target)
        if isinstance(found, ResourceId):
            return Wanted(decision(verb, found, description), _confirm(ask, None))
        # What the service lists is read again by its id: it is decided on as it is now, not as it was listed.
        world = None if found.service_side else runtime.world()
        return Wanted(decision(verb, found.id, description), _confirm(ask, found), world, found)

    return await result_of(runtime, target, verb.value, wanted, _facts)


def _facts(connection: Connection | Link | None) -> dict[str, Any]:
    return {"id": connection.id.text, "status": connection.status.word} if connection else {"status": None}


def _found(runtime: Runtime, target: str) -> Link | ResourceId:
    """The connection whose id a target is, or the one link that it names.

    Raises `NotFoundError`, where it names several `RefusedError`, and why the ISV's side could not be read.
    """
    isv = runtime.watchers[Side.ISV]
    connection_id = _connection_id(target)
    if connection_id and connection_id.subscription.lower() == isv.snapshot.subscription.lower():
        return connection_id
    if not connection_id and isv.blind:
        raise isv.blind
    found = runtime.world().find(target)
    if not found:
        raise NotFoundError(
            f"There is no connection {clean(target, 120)!r}.", hint="plstui connections list shows them."
        )
    if len(found) > 1:
        names = ", ".join(clean(link.name, 80) for link in found[:5])
        raise RefusedError(f"{clean(target, 120)!r} names {len(found)} connections.", hint=f"Say which: {names}.")
    return found[0]


def _confirm(ask: bool, link: Link | None) -> Confirm[Decision, Connection]:
    async def confirm(decision: Decision, connection: Connection) -> Decision | None:
        if not ask:
            return decision
        endpoint = clean(connection.name, 120)
        click.echo(f"{decision.verb.value.capitalize()} {endpoint}, now {connection.status}:", err=True)
        message = (link.message if link else "") or connection.description
        click.echo(f"  Message: {clean(message, 300) or 'none'}", err=True)
        if decision.warning:
            click.echo(f"  ! {decision.warning}", err=True)
        click.echo(f"  {decision.az}", err=True)
        return decision if await agrees("Send it?") else None

    return confirm


def print_results(verb: Verb, results: Sequence[Result]) -> None:
    """What became of the targets, for people; with several each error names its own."""
    several = len(results) > 1
    for result in results:
        if result.failure:
            message = f"{clean(result.target, 120)}: {result.failure.message}" if several else result.failure.message
            print_error(message, result.failure.hint, result.failure.code, as_json=False)
        else:
            name = str(result.document["id"]).rsplit("/", 1)[-1]
            unread = f", but {result.document['unread']}" if result.document["unread"] else ""
            click.echo(f"{clean(name, 120)}: {result.document['status'] or verb.done}{unread}")
