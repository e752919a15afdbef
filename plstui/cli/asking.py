"""Questions of a probe, asked on the terminal: on standard error, so that the output stays what it is."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager

import click

from plstui.cli.output import is_terminal
from plstui.cli.signals import agrees, typed_line
from plstui.domain.question import Question


def can_ask() -> bool:
    """Whether there is a terminal to ask on."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


async def ask_on_terminal(question: Question) -> str | None:
    """The secret, or an empty text for yes; None for no. Raises `click.Abort` when nobody can answer any more."""
    click.echo(question.text, err=True)
    if not question.secret:
        return "" if await agrees(question.title) else None
    # Unseen first: who types as soon as the question is there must not be seen either.
    with _unseen():
        click.echo(f"{question.title}: ", nl=False, err=True)
        line = await typed_line()
    click.echo(err=True)
    return line.rstrip("\n") or None


@contextmanager
def _unseen() -> Iterator[None]:
    """Let the terminal not show what is typed.

    `getpass` would wait in a read that hears of no signal; whoever presses Ctrl-C gets the terminal back as it was.
    """
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    silent = termios.tcgetattr(terminal)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSADRAIN, silent)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
