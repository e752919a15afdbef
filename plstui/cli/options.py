"""The global options, which stand before or after a command, and how commands that take them are declared."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from plstui import __version__
from plstui.compose import Options
from plstui.config import locations
from plstui.domain.ids import SUBSCRIPTION
from plstui.domain.text import clean

DEFAULT_WORLD = "pending"


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


def global_options(command: Callable[..., Any]) -> Callable[..., Any]:
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
        return click.group(name)(global_options(body))

    return declare


def command_with_globals(name: str, group: click.Group | None = None) -> Callable[[Callable[..., Any]], click.Command]:
    """Declare a command, of a group if one is given, that takes the global options too.

    Its function gets `options` first.
    """

    def declare(function: Callable[..., Any]) -> click.Command:
        @click.pass_context
        def body(context: click.Context, /, **values: Any) -> Any:
            collected: Globals = context.obj
            collected.take(values)
            return context.invoke(function, collected.options(), **values)

        body.__doc__ = function.__doc__
        if params := getattr(function, "__click_params__", None):
            body.__click_params__ = params  # type: ignore[attr-defined]
        command = click.command(name)(global_options(body))
        if group is not None:
            group.add_command(command)
        return command

    return declare
