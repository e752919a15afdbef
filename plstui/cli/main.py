"""`plstui [GLOBAL] [COMMAND]`: the group of all commands, and how a run ends."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from plstui.cli.options import DEFAULT_WORLD, Globals, global_options
from plstui.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, exit_code_of, print_error, replace_unwritable
from plstui.config import locations
from plstui.domain.errors import ConfigError, PlstuiError

_OUTPUT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What writing to a disk or a terminal may end with."""


class _Commands(click.Group):
    """Reads the files of a command when it is asked for: the two panes need none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_FILES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        files = _FILES.get(cmd_name)
        return _command(cmd_name, files) if files else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.params.get("sandbox") is not None and self.get_command(ctx, args[0]) is None:
            raise click.UsageError(f"There is no command {args[0]!r}; for a world write --sandbox={args[0]}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@global_options
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
"""The files of each command: the first declares it, under its own name, and the others add commands to it."""


def _command(name: str, files: Sequence[str]) -> click.Command:
    declared, *_ = [import_module(f"plstui.cli.{file}") for file in files]
    command: click.Command = getattr(declared, name)
    return command


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
