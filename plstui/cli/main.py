"""`plstui [GLOBAL] [COMMAND]`: the group, the options every command takes, and how a run ends."""

from __future__ import annotations

import errno
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from plstui import __version__
from plstui.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, exit_code_of, print_error, replace_unwritable
from plstui.compose import Options
from plstui.config import locations
from plstui.domain.errors import ConfigError, PlstuiError
from plstui.domain.ids import SUBSCRIPTION
from plstui.domain.text import clean

DEFAULT_WORLD = "pending"

_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to a disk or a terminal may end with."""


class NamedPath(click.Path):
    """A path; `~` is the home folder also where a shell leaves it, as in --config=~/file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path as it is used."""
        path = locations.expand(os.fspath(value))
        super().convert(path, param, ctx)
        return path


class Subscription(click.ParamType[str]):
    """A subscription's id; an empty text is none, as in the settings."""

    name = "subscription"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id as it was typed."""
        if value and not re.fullmatch(SUBSCRIPTION, value):
            self.fail(
                f"{clean(value, 80)!r} is not the id of a subscription, and a name cannot be used here; "
                "az account list --output table shows both.",
                param,
                ctx,
            )
        return str(value)


def _global_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that may stand before or after a command."""
    for option in reversed(
        (
            click.option(
                "--sandbox",
                metavar="[=WORLD|URL]",
                help=f"Use a local Azure: one that starts with a world ({DEFAULT_WORLD} if left out), or a served one.",
            ),
            click.option("--config", type=NamedPath(), metavar="FILE", help="The settings file."),
            click.option("--isv", type=Subscription(), metavar="SUBSCRIPTION", help="The ISV's subscription."),
            click.option(
                "--customer", type=Subscription(), metavar="SUBSCRIPTION", help="The customer's subscription."
            ),
            click.option("--read-only", is_flag=True, default=None, help="Only look: nothing can be changed."),
            click.version_option(__version__, prog_name="plstui", message="%(prog)s %(version)s"),
        )
    ):
        command = option(command)
    return command


class Globals:
    """The global options as they add up, those after the command winning."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def take(self, values: dict[str, Any]) -> None:
        """Move the global options out of a command's parameters."""
        for name in ("sandbox", "config", "isv", "customer", "read_only"):
            value = values.pop(name)
            if value is not None:
                self._values[name] = value

    def options(self) -> Options:
        """What to connect to. Raises `click.UsageError` for options that contradict each other."""
        values = self._values
        if "sandbox" in values and "config" in values:
            raise click.UsageError("--sandbox brings its own settings; leave out --config.")
        override: dict[str, dict[str, Any]] = {}
        for side in ("isv", "customer"):
            if side in values:
                override[side] = {"subscription": values[side]}
        if "read_only" in values:
            override["ui"] = {"read_only": True}
        sandbox = values.get("sandbox")
        if sandbox is not None and "://" not in sandbox:
            check_world(sandbox)
        return Options(values.get("config"), sandbox, override)


def check_world(name: str) -> None:
    """Raise `click.UsageError` unless there is a world of that name."""
    from plstui.sandbox.scenarios import WORLDS

    if name not in WORLDS:
        raise click.UsageError(f"There is no world {name!r}; there are {', '.join(WORLDS)}.")


def group_with_globals(name: str) -> Callable[[Callable[..., Any]], click.Group]:
    """Declare a group of commands that takes the global options between its name and the command's."""

    def declare(function: Callable[..., Any]) -> click.Group:
        @click.pass_context
        def body(context: click.Context, /, **values: Any) -> None:
            context.obj.take(values)

        body.__doc__ = function.__doc__
        return cli.group(name)(_global_options(body))

    return declare


def command_with_globals(group: click.Group, name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command of `group` that takes the global options too; its function gets `options` first."""

    def declare(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        def body(context: click.Context, /, **values: Any) -> Any:
            collected: Globals = context.obj
            collected.take(values)
            return context.invoke(function, collected.options(), **values)

        body.__doc__ = function.__doc__
        if params := getattr(function, "__click_params__", None):
            body.__click_params__ = params  # type: ignore[attr-defined]
        return group.command(name)(_global_options(body))

    return declare


class _Commands(click.Group):
    """Reads the files of a command when it is asked for: the two panes need none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        for name in _FILES:
            _load(name)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        _load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.params.get("sandbox") is not None and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"There is no command {args[0]!r}; for a world write --sandbox={args[0]}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@_global_options
@click.pass_context
def cli(context: click.Context, /, **values: Any) -> None:
    """Both sides of an Azure private link, live.

    Without a command the two panes open: the ISV's subscription and the customer's. No account is needed for
    plstui --sandbox.
    """
    context.obj = Globals()
    context.obj.take(values)
    if context.invoked_subcommand is None:
        from plstui.cli.panes import open_panes

        context.exit(open_panes(context.obj.options()))


_FILES = {
    "connections": ("connections",),
    "doctor": ("doctor",),
    "lab": ("lab", "lab_down", "lab_undo"),
    "probe": ("probe",),
    "sandbox": ("sandbox",),
    "services": ("services",),
    "status": ("status",),
}
"""The files in which each command and its own commands are declared; every one registers itself."""


def _load(command: str) -> None:
    """Declare a command; one that there is not is left to click to refuse."""
    for name in _FILES.get(command, ()):
        import_module(f"plstui.cli.{name}")


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; no exception leaves this function."""
    replace_unwritable()
    try:
        return _run(arguments)
    except (BrokenPipeError, SystemExit):
        # Whoever read our output has had enough (click ends with SystemExit then).
        _forget_output()
        return EXIT_FAILED


def _run(arguments: Sequence[str]) -> int:
    targets_from = arguments.index("--") if "--" in arguments else len(arguments)
    # The value of --sandbox is optional and never stands in the next word, or `--sandbox status` would be ambiguous.
    words = [f"--sandbox={DEFAULT_WORLD}" if word == "--sandbox" else word for word in arguments[:targets_from]]
    as_json = "--json" in words
    try:
        return int(cli.main([*words, *arguments[targets_from:]], prog_name="plstui", standalone_mode=False) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        # Its message is the help, laid out already.
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except click.UsageError as error:
        hint = f"See {error.ctx.command_path} --help." if error.ctx else "See plstui --help."
        print_error(error.format_message(), hint, "Usage", as_json=as_json)
        return EXIT_USAGE
    except click.ClickException as error:
        print_error(error.format_message(), "", "Usage", as_json=as_json)
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        return EXIT_INTERRUPTED
    except PlstuiError as error:
        print_error(error.message, error.hint, error.code, as_json=as_json)
        return exit_code_of(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Only standard output fails without a name: what has one is either told of where it is opened or our own error.
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            return _own_error(as_json)
        _forget_output()
        print_error(f"The output cannot be written: {error.strerror}.", "", "Output", as_json=False)
        return EXIT_FAILED
    except Exception:  # noqa: BLE001 - the last resort: a person gets a sentence, the traceback goes to a file.
        return _own_error(as_json)


def _forget_output() -> None:
    """What is still in the buffer has nowhere to go, and a complaint about it at interpreter exit would be noise."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _own_error(as_json: bool) -> int:
    print_error("plstui met an error of its own.", _report(), "Internal", as_json=as_json)
    return EXIT_FAILED


def _report() -> str:
    """Write the traceback of the error being handled to a file; returns what to do with it."""
    trace = traceback.format_exc()
    try:
        report = locations.journal_file().with_name("last-error.txt")
        report.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Its owner's alone, and harmless to a terminal: nobody knows whose words an exception carries.
        descriptor = os.open(report, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK, 0o600)
        with open(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write("".join(map(_visible, trace)))
    except ConfigError as error:
        return f"{trace.splitlines()[-1]} (not kept: {error.message})"
    except OSError as error:
        return f"{trace.splitlines()[-1]} (not kept: {report} cannot be written, {error.strerror})"
    return f"Please report what is in {report}."


def _visible(char: str) -> str:
    return char if char == "\n" or char.isprintable() else f"\\x{ord(char):02x}"
