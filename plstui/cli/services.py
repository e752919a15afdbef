"""`plstui services`: list the private link services, show one, and set its tags."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from plstui.cli.documents import service_json, tags_json, text
from plstui.cli.options import command_with_globals, group_with_globals
from plstui.cli.output import exit_code_of_all, is_terminal, print_error, print_json, print_table
from plstui.cli.results import Result, Wanted, result_of, tell_of_waiting
from plstui.cli.session import refresh_patiently, run_session
from plstui.cli.signals import agrees
from plstui.cli.tables import state_text
from plstui.compose import Options
from plstui.domain.change import Body
from plstui.domain.errors import NotFoundError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.resources import PrivateLinkService
from plstui.domain.sides import Side
from plstui.domain.snapshot import Snapshot
from plstui.domain.tags import MAX_NAME, MAX_VALUE, TagChange, named, parsed_tag, state_of, tag_change, tags_of
from plstui.domain.text import clean
from plstui.engine.runtime import Runtime
from plstui.engine.watcher import Watcher

SERVICE = "Microsoft.Network/privateLinkServices"

Parsed = TypeVar("Parsed")


@group_with_globals("services")
def services() -> None:
    """List the private link services, show one, or set its tags."""


@command_with_globals("list", services)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_services(options: Options, as_json: bool) -> int:
    """List the ISV's private link services."""
    isv = run_session(options, _read)
    if as_json:
        print_json({"services": [service_json(isv, service) for service in isv.services]})
    elif isv.services:
        lines = [
            (
                state_text(service.provisioning_state),
                clean(service.name, 60),
                clean(service.id.resource_group, 60),
                str(len(service.connections)),
                _tags_text(dict(service.tags)),
            )
            for service in isv.services
        ]
        print_table(("state", "service", "group", "connections", "tags"), lines)
    else:
        click.echo("No private link services.")
    return 0


@command_with_globals("show", services)
@click.argument("service")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(options: Options, service: str, as_json: bool) -> int:
    """Show a private link service, by its id or its name."""
    isv = run_session(options, _read)
    found = _found(isv, service)
    if as_json:
        print_json(service_json(isv, found))
    else:
        facts = (
            ("id", found.id.text),
            ("state", state_text(found.provisioning_state)),
            ("location", found.location),
            ("alias", found.alias),
            ("connections", str(len(found.connections))),
            *(("tag", f"{clean(name, MAX_NAME)}={clean(value, MAX_VALUE)}") for name, value in found.tags),
        )
        for name, value in facts:
            click.echo(f"{name:<12} {clean(value, MAX_NAME + MAX_VALUE + 1)}")
    return 0


def _each(parse: Callable[[str], Parsed]) -> Callable[[click.Context, click.Parameter, tuple[str, ...]], list[Parsed]]:
    """An option's values, parsed."""

    def parsed(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> list[Parsed]:
        try:
            return [parse(value) for value in values]
        except ValueError as error:
            raise click.BadParameter(f"{error}.") from None

    return parsed


@command_with_globals("set", services)
@click.argument("service")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", callback=_each(parsed_tag), help="Set a tag.")
@click.option("--remove-tag", "removed", multiple=True, metavar="NAME", callback=_each(named), help="Remove a tag.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def set_tags(
    options: Options, service: str, tags: list[tuple[str, str]], removed: list[str], yes: bool, as_json: bool
) -> int:
    """Set and remove tags of a private link service, by its id or its name; its other tags stay."""
    names = [name.lower() for name in (*(name for name, _ in tags), *removed)]
    if not names:
        raise click.UsageError("Say what to set: --tag NAME=VALUE or --remove-tag NAME.")
    if len(set(names)) < len(names):
        raise click.UsageError("A tag is named twice; Azure compares names without regard to case.")
    ask = not yes and is_terminal(sys.stdin)

    async def body(runtime: Runtime) -> Result:
        isv = _isv(runtime)
        service_id = _service_id(service, isv.snapshot.subscription)
        if service_id is None:
            await refresh_patiently(isv, tell_of_waiting)

        def wanted() -> Wanted:
            target = service_id or _found(_seen(isv), service).id
            return Wanted(tag_change(target, dict(tags), removed), _confirm(ask))

        return await result_of(runtime, service, "set tags", wanted, _facts)

    result = run_session(options, body)
    if as_json:
        print_json({"results": [result.document]})
    elif result.failure:
        print_error(result.failure.message, result.failure.hint, result.failure.code, as_json=False)
    else:
        unread = f", but {result.document['unread']}" if result.document["unread"] else ""
        click.echo(f"{clean(result.document['id'].rsplit('/', 1)[-1], 120)}: tags set{unread}")
    return exit_code_of_all([result.failure] if result.failure else [])


def _isv(runtime: Runtime) -> Watcher:
    if Side.ISV not in runtime.watchers:
        raise RefusedError("Only the ISV's side has services.", hint="Name its subscription with --isv.")
    return runtime.watchers[Side.ISV]


async def _read(runtime: Runtime) -> Snapshot:
    """The ISV's side with its services as they are now. Raises `PlstuiError` when it could not be read."""
    isv = _isv(runtime)
    await refresh_patiently(isv, tell_of_waiting)
    return _seen(isv)


def _seen(isv: Watcher) -> Snapshot:
    if isv.blind:
        raise isv.blind
    return isv.snapshot


def _service_id(target: str, subscription: str) -> ResourceId | None:
    """The service's id that a target is, in the ISV's subscription; None for a name."""
    try:
        found = ResourceId.parse(target)
    except ValueError:
        return None
    return found if found.is_type(SERVICE) and found.subscription.lower() == subscription.lower() else None


def _found(isv: Snapshot, target: str) -> PrivateLinkService:
    """The one service that has an id or a name. Raises `NotFoundError`, where several have it `RefusedError`."""
    wanted = target.strip().lower()
    found = [service for service in isv.services if wanted in (service.id.key, service.name.lower())]
    if not found:
        raise NotFoundError(f"There is no service {clean(target, 120)!r}.", hint="plstui services list shows them.")
    if len(found) > 1:
        ids = ", ".join(clean(service.id.text, 300) for service in found[:5])
        raise RefusedError(f"{clean(target, 120)!r} names {len(found)} services.", hint=f"Say which: {ids}.")
    return found[0]


def _confirm(ask: bool) -> Callable[[TagChange, Body], Any]:
    async def confirm(change: TagChange, service: Body) -> TagChange | None:
        if not ask:
            return change
        click.echo(f"Change the tags of {clean(change.target.name, 120)}:", err=True)
        for name, before, after in change.differences(tags_of(service)):
            click.echo(f"  {clean(name, 120)}: {_value(before)} → {_value(after)}", err=True)
        click.echo(f"  {change.az}", err=True)
        return change if await agrees("Send it?") else None

    return confirm


def _facts(service: Body | None) -> dict[str, Any]:
    if service is None:
        return {"status": None, "tags": None}
    return {"status": text(state_of(service)), "tags": tags_json(tags_of(service).items())}


def _value(value: str | None) -> str:
    return "none" if value is None else repr(clean(value, 256))


def _tags_text(tags: dict[str, str]) -> str:
    return clean(" ".join(f"{name}={value}" for name, value in tags.items()), 200)
