"""`plstui status`: both sides and the connections between them, once."""

from __future__ import annotations

import click

from plstui.cli.documents import connection_json, side_json
from plstui.cli.options import command_with_globals
from plstui.cli.output import exit_code_of_all, now_json, print_failures, print_json
from plstui.cli.session import read_both, read_health, run_session
from plstui.cli.tables import print_connections, print_side
from plstui.compose import Options
from plstui.domain.errors import PlstuiError
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.engine.runtime import Runtime


@command_with_globals("status")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(options: Options, as_json: bool) -> int:
    """Show both sides and the connections between them."""

    async def body(
        runtime: Runtime,
    ) -> tuple[World, dict[Side, PlstuiError], dict[Side, PlstuiError], list[PlstuiError]]:
        failures = await read_both(runtime)
        without_health = await read_health(runtime)
        not_read = [error for watcher in runtime.watchers.values() for error in watcher.not_read.values()]
        return runtime.world(), failures, without_health, not_read

    world, failures, without_health, not_read = run_session(options, body)
    if as_json:
        print_json(
            {
                "isv": side_json(world.isv),
                "customer": side_json(world.customer),
                "connections": [connection_json(link) for link in world.links()],
                "generated_at": now_json(),
            }
        )
    else:
        for side in Side:
            print_side(side, world.side(side))
        print_connections(world.links(), world)
    print_failures(failures)
    print_failures(without_health, "health of the backends")
    # What could not be looked at is not well; the tables and the document say which types of a side these are.
    return exit_code_of_all([*failures.values(), *without_health.values(), *not_read])
