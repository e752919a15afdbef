"""Settings → Runtime: the one place where Azure or the sandbox, the engine and the probes meet.

The road to ARM takes as long to import as Textual, and the engine with all that it knows of Azure a third of that. So
they are imported when a connection is made and not before, as are the settings: the first frame waits for none of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from plstui.arm.threads import in_daemon
from plstui.config import locations
from plstui.domain.errors import ConfigError, PlstuiError, UnreachableError
from plstui.domain.files import read_text
from plstui.domain.sides import Side
from plstui.domain.tasks import both, to_the_end, together

if TYPE_CHECKING:
    from plstui.arm.side import ArmSide
    from plstui.config.load import Override
    from plstui.config.settings import Settings
    from plstui.domain.question import Ask
    from plstui.engine.runtime import Runtime
    from plstui.sandbox.child import ChildError, SandboxChild

WHERE_TO = ("PLSTUI_AZURE_", "PLSTUI_ISV_", "PLSTUI_CUSTOMER_")
"""How the environment variables begin that say where to connect and as whom."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says about where to connect."""

    config: Path | None = None
    """The settings file, if one is named."""
    sandbox: str | None = None
    """A world's name, or the address of a served sandbox; None for Azure."""
    override: Override = field(default_factory=dict)
    """Settings given on the command line."""

    @property
    def starts_sandbox(self) -> bool:
        """Whether this starts a sandbox of its own, which ends with the command."""
        return self.sandbox is not None and "://" not in self.sandbox


class Composer:
    """Starts what takes time as early as possible, and joins it to a `Runtime` when asked."""

    def __init__(self, options: Options) -> None:
        """Raises `UnreachableError` when no embedded sandbox can be started."""
        self.ask: Ask | None = None
        """Asks whoever is there what a probe cannot know; None where nobody is."""
        self.left_behind: Callable[[], Sequence[PlstuiError]] = list
        """What plstui has made in machines and not removed again; to be asked at the end."""
        self._options = options
        self._child: SandboxChild | None = None
        if options.sandbox and options.starts_sandbox:
            from plstui.sandbox.child import ChildError, SandboxChild

            try:
                self._child = SandboxChild(options.sandbox)
            except ChildError as error:
                raise _not_started(error) from None

    @property
    def where(self) -> str:
        """Where this connects to, in a word or two."""
        if self._options.sandbox:
            return f"sandbox {self._options.sandbox}"
        # A settings file may lead anywhere, to a served sandbox too; what is not known is not claimed.
        return self._options.config.name if self._options.config else "Azure"

    def keys(self) -> Mapping[str, str]:
        """The keys that a person has chosen, by the ids of commands. Raises `ConfigError`.

        They are of the person's own file with a sandbox too, whose settings know nothing of persons.
        """
        chosen = self._options.config or any(name.startswith("PLSTUI_") for name in os.environ)
        if not chosen and not os.path.exists(locations.config_file()):
            # What reads settings takes a moment to import, and the first words wait for this.
            return {}
        from plstui.config.load import load

        return load(self._options.config, only="keys").keys

    async def settings(self) -> Settings:
        """The settings that apply; waits for an embedded sandbox. Raises `ConfigError` and `UnreachableError`."""
        from plstui.config.load import check_names, load

        path, environ = self._options.config, dict(os.environ)
        check_names(environ)
        if self._options.sandbox:
            # What somebody has set up for Azure must not be mixed into the sandbox's own settings.
            environ = {name: value for name, value in environ.items() if not name.startswith(WHERE_TO)}
        if self._child:
            from plstui.sandbox.child import ChildError

            try:
                path = await self._child.ready()
            except ChildError as error:
                raise _not_started(error) from None
        elif self._options.sandbox:
            path = served_settings(self._options.sandbox)
        settings = load(path, environ=environ, override=self._options.override)
        if not any(settings.side(side).subscription for side in Side):
            raise ConfigError(
                "No subscription is set.",
                hint="Name one or both with --isv and --customer or in the settings file, or try plstui --sandbox.",
            )
        return settings

    async def connect(self) -> Runtime:
        """Everything joined and ready; nothing has been asked of Azure yet. Raises `PlstuiError`."""
        # Neither waits for the other: a sandbox takes as long to start as the imports.
        settings, open_side = await both(self.settings(), in_daemon(_import))
        opened: dict[Side, ArmSide] = {}
        try:
            for side in Side:
                if settings.side(side).subscription:
                    opened[side] = open_side(settings, side)
        except PlstuiError:
            await to_the_end(arm.reader.close() for arm in opened.values())
            raise
        return self._join(settings, opened)

    def _join(self, settings: Settings, opened: dict[Side, ArmSide]) -> Runtime:
        """The engine on top of what has been opened."""
        from plstui.domain.world import World
        from plstui.engine.agents import Agents, BalancersOpinion
        from plstui.engine.gate import Gate
        from plstui.engine.journal import Journal
        from plstui.engine.runtime import Runtime
        from plstui.engine.watcher import Watcher
        from plstui.probe.open import open_prober

        watchers = {
            side: Watcher(
                side,
                settings.side(side).subscription,
                arm.reader,
                tenant=settings.side(side).tenant,
                interval=settings.watch.interval,
            )
            for side, arm in opened.items()
        }
        journal = Journal(locations.journal_file())
        gate = Gate(opened, journal, watchers.values(), read_only=settings.ui.read_only)
        bodies = {side: arm.bodies for side, arm in opened.items()}

        def world() -> World:
            seen = {side: watcher.snapshot for side, watcher in watchers.items()}
            return World(seen.get(Side.ISV), seen.get(Side.CUSTOMER))

        agents = Agents(bodies, gate, world)
        if not self._child:  # Nothing outlives an embedded sandbox.
            self.left_behind = agents.left_behind
        opinion = BalancersOpinion(watchers.get(Side.ISV))
        prober = open_prober(settings, agents, opinion, self.ask)

        async def close() -> None:
            # What the probe leaves in a machine is removed over the readers' connections.
            try:
                await prober.close()
            finally:
                await to_the_end(arm.reader.close() for arm in opened.values())
                await self.close()

        async def get_ready() -> None:
            if not settings.ui.read_only:
                await together(arm.get_ready() for arm in opened.values())

        return Runtime(
            watchers,
            bodies,
            gate,
            settings.lab,
            prober,
            journal,
            settings.probe.count,
            close,
            get_ready,
        )

    async def close(self) -> None:
        """End an embedded sandbox; for when `connect` did not get to return a `Runtime`."""
        if self._child:
            await self._child.stop()


def _not_started(error: ChildError) -> UnreachableError:
    return UnreachableError(f"The sandbox did not start: {error}.")


def _import() -> Callable[[Settings, Side], ArmSide]:
    """What opens a side; its modules are slow to import."""
    from plstui.arm.side import open_side

    return open_side


def served_settings(url: str) -> Path:
    """The settings file of a sandbox served at an address on this machine. Raises `ConfigError` when none is known."""
    try:
        address = urlsplit(url)
        port = address.port if address.hostname in ("127.0.0.1", "localhost") else None
    except ValueError:
        port = None
    try:
        # It goes away when the sandbox does, also between two looks at it.
        settings = read_text(locations.sandbox_pointer(port)) if port else ""
    except OSError:
        settings = ""
    if not settings:
        raise ConfigError(
            f"No sandbox is known at {url}.",
            hint="Start one with plstui sandbox serve, or name its settings with --config DIR/plstui.toml.",
        )
    return Path(settings)
