"""`plstui sandbox`: serve the local Azure, and name its worlds."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from shlex import quote
from typing import Any

import click

from plstui.cli.options import DEFAULT_WORLD, NamedPath, check_world, command_with_globals, group_with_globals
from plstui.cli.output import EXIT_OK, print_json, print_table
from plstui.compose import Options
from plstui.config import locations
from plstui.domain.errors import ConfigError
from plstui.domain.files import read_text
from plstui.lab.cloudinit import user_data


@group_with_globals("sandbox")
def sandbox() -> None:
    """A local Azure for demos, rehearsals and tests."""


@command_with_globals("worlds", sandbox)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def worlds(_options: Options, as_json: bool) -> int:
    """List the worlds a sandbox can start with."""
    from plstui.sandbox.scenarios import WORLDS

    if as_json:
        print_json({"worlds": [{"name": name, "what": what} for name, what in WORLDS.items()]})
    else:
        print_table(("world", ""), list(WORLDS.items()))
    return EXIT_OK


@command_with_globals("serve", sandbox)
@click.option("--world", default=DEFAULT_WORLD, show_default=True, help="What is there at the start.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="The port on 127.0.0.1; 0 takes a free one. Left out, the one that a sandbox in the folder had before.",
)
@click.option(
    "--state-dir",
    type=NamedPath(file_okay=False),
    help="Where settings, keys and certificate go; a temporary folder if left out.",
)
@click.option(
    "--keep",
    is_flag=True,
    help="Leave certificate, keys and port in the folder for the next sandbox there; needs --state-dir.",
)
@click.option(
    "--latency",
    type=click.Choice(["none", "fast", "azure"]),
    default="none",
    show_default=True,
    help="How long operations take: not at all, moments, or as recorded from Azure.",
)
@click.option(
    "--faults",
    type=NamedPath(),
    metavar="FILE",
    help="A plan of what goes wrong, in JSON: throttling, errors, drops, operations that fail.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="Stop when standard input ends.")
def serve(
    options: Options,
    world: str,
    port: int | None,
    state_dir: Path | None,
    keep: bool,
    latency: str,
    faults: Path | None,
    until_stdin_closes: bool,
) -> int:
    """Serve a local Azure on 127.0.0.1 until interrupted.

    Prints one line when ready. Attach with plstui --config DIR/plstui.toml or plstui --sandbox=URL.
    """
    if options.sandbox is not None:
        raise click.UsageError("--sandbox says where to connect; name the world to serve with --world.")
    if keep and state_dir is None:
        raise click.UsageError("--keep needs a folder that the next sandbox can be given too: --state-dir DIR.")
    check_world(world)
    from plstui.sandbox.server import ServeError, ServeOptions
    from plstui.sandbox.server import serve as serve_sandbox

    pointers: list[Path] = []

    def ready(arm: str, directory: Path) -> None:
        settings = directory / "plstui.toml"
        # Nobody but its parent attaches to an embedded one, which so needs no folder of the user's to write to.
        if not until_stdin_closes:
            pointers.append(_leave_pointer(arm, settings))
        if keep:
            left = "Certificate, keys and port stay in this folder when it stops, for the next sandbox there"
            click.echo(f"{left}: {directory}", err=True)
        click.echo(f"Sandbox '{world}' is ready at {arm}; attach with: plstui --config {quote(str(settings))}")

    serving = ServeOptions(
        world=world,
        port=port,
        state_dir=state_dir,
        keep=keep,
        latency=latency,
        web_user_data=user_data("web"),
        client_user_data=user_data("client"),
        faults=_read_plan(faults) if faults else None,
        until_stdin_closes=until_stdin_closes,
    )
    try:
        # One that is ended before it serves was asked to, and says nothing.
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(serve_sandbox(serving, on_ready=ready))
    except ServeError as error:
        raise ConfigError(str(error)) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise ConfigError(f"The sandbox cannot be served: {error.strerror}{where}.") from None
    finally:
        for pointer in pointers:
            pointer.unlink(missing_ok=True)
    return EXIT_OK


def _read_plan(path: Path) -> dict[str, Any]:
    """The JSON document in a file. Raises `ConfigError`."""
    try:
        plan = json.loads(read_text(path))
    except OSError as error:
        raise ConfigError(f"The file of faults {path} cannot be read: {error.strerror}.") from None
    except json.JSONDecodeError as error:
        where = f"see line {error.lineno}, column {error.colno}"
        raise ConfigError(f"The file of faults {path} is not valid JSON: {where}.") from None
    except (ValueError, RecursionError):
        raise ConfigError(
            f"The file of faults {path} cannot be read: a number in it is too long, or it is nested too deeply."
        ) from None
    if not isinstance(plan, dict):
        raise ConfigError(
            f"The file of faults {path} holds no JSON object.", hint='Write {"faults": [{"kind": …}, …]}.'
        )
    return plan


def _leave_pointer(arm: str, settings: Path) -> Path:
    """Write down where the settings of the sandbox at this address are. Raises `ConfigError`."""
    pointer = locations.sandbox_pointer(int(arm.rpartition(":")[2]))
    try:
        pointer.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pointer.write_text(str(settings), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{pointer} cannot be written: {error.strerror}.", hint="Set XDG_STATE_HOME to a folder you can write to."
        ) from None
    return pointer
