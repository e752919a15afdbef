"""Being told to end from outside, and asking a person who may also press Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys

import click


def ending_signals() -> tuple[signal.Signals, ...]:
    """What ends the program from outside: Ctrl-C, being told to, and the end of its terminal unless that is ignored,
    as `nohup` has it."""
    ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *(() if ignored else (signal.SIGHUP,)))


async def typed_line() -> str:
    """The line that is typed next on standard input, a terminal; empty at its end.

    Waited for by the event loop, which hears of signals. A read that blocks does not hear of one that comes just before
    it begins.
    """
    loop, typed = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, typed.set)
    try:
        await typed.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline()


async def agrees(question: str) -> bool:
    """Ask until the answer is yes or no; just Enter is no. Raises `click.Abort` when nobody can answer any more."""
    while True:
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        line = await typed_line()
        if not line:
            raise click.Abort
        answer = line.strip().lower()
        if answer in ("", "n", "no"):
            return False
        if answer in ("y", "yes"):
            return True
        click.echo("Answer y or n.", err=True)
