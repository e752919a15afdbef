"""`plstui sandbox`: serve the local Azure, and name its worlds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from plstui.cli.main import DEFAULT_WORLD, cli
from plstui.cli.output import EXIT_OK, print_json, print_table


@cli.group()
def sandbox() -> None:
    """A local Azure for demos, rehearsals and tests."""


@sandbox.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def worlds(as_json: bool) -> int:
    """List the worlds a sandbox can start with."""
    from plstui.sandbox.scenarios import WORLDS

    if as_json:
        print_json({"worlds": [{"name": name, "what": what} for name, what in WORLDS.items()]})
    else:
        print_table(("world", ""), list(WORLDS.items()))
    return EXIT_OK
