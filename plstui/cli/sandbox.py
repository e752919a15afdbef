"""`plstui sandbox`: serve the local Azure, and name its worlds."""

from __future__ import annotations

import click

from plstui.cli.main import cli
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


@sandbox.command()
@click.option("--world", default=DEFAULT_WORLD, show_default=True, help="What is there at the start.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; 0 takes a free one.")
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where settings, keys and certificate go; a temporary folder if left out.",
)
@click.option(
    "--latency",
    type=click.Choice(["none", "fast", "azure"]),
    default="none",
    show_default=True,
    help="How long operations take: not at all, moments, or as recorded from Azure.",
)
@click.option("--until-stdin-closes", is_flag=True, hidden=True, help="Stop when standard input ends.")
def serve(world: str, port: int, state_dir: Path | None, latency: str, until_stdin_closes: bool) -> int:
    """Serve a local Azure on 127.0.0.1 until interrupted.

    Prints one line when ready. Attach with plstui --config DIR/plstui.toml or plstui --sandbox=URL.
    """
    check_world(world)
    from plstui.sandbox.server import ServeOptions, serve as serve_sandbox

    pointers: list[Path] = []

    def ready(arm: str, directory: Path) -> None:
        settings = directory / "plstui.toml"
        pointer = locations.sandbox_pointer(int(arm.rpartition(":")[2]))
        pointer.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        pointer.write_text(str(settings), encoding="utf-8")
        pointers.append(pointer)
        click.echo(f"Sandbox '{world}' is ready at {arm}; attach with: plstui --config {settings}")

    options = ServeOptions(
        world=world,
        port=port,
        state_dir=state_dir,
        latency=latency,
        web_user_data=user_data("web"),
        client_user_data=user_data("client"),
        until_stdin_closes=until_stdin_closes,
    )
    try:
        asyncio.run(serve_sandbox(options, on_ready=ready))
    finally:
        for pointer in pointers:
            pointer.unlink(missing_ok=True)
    return EXIT_OK
