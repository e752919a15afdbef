"""The app: paints first, connects then, and gives everything back at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from textual import constants, on
from textual.command import Provider
from textual.screen import Screen
from textual.types import CSSPathType
from textual.worker import WorkerFailed

from plstui.domain.errors import PlstuiError
from plstui.tui.driver import TerminalDriver
from plstui.tui.messages import Connected, Failed, Painted
from plstui.tui.opener import Opener
from plstui.tui.opening import OpeningScreen
from plstui.tui.themes import DEFAULT, own_themes
from plstui.tui.work import work

if TYPE_CHECKING:
    from plstui.engine.ports import Clock
    from plstui.engine.runtime import Runtime

CLOSING_TIME = 0.3
"""Seconds that closing may take before the program leaves anyway: a person who leaves has seen enough."""


def _registry() -> type[Provider]:
    from plstui.tui.palette import RegistryProvider

    return RegistryProvider


class PlstuiApp(Opener):
    """Both sides of a private link, live.

    `connect` is called once the first frame is on the screen, and may import and start whatever it needs. When it
    raises a `PlstuiError`, or nobody turns out to be signed in, the app ends with return code 1 and `failure` set.
    """

    TITLE = "plstui"
    CSS_PATH: ClassVar[CSSPathType | None] = ["styles/tones.tcss", "styles/toasts.tcss"]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_registry}

    def __init__(
        self,
        connect: Callable[[], Awaitable[Runtime]],
        *,
        where: str = "",
        theme: str = DEFAULT,
        clock: Clock | None = None,
        keys: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`keys` are those that are not the usual ones, by the ids of their commands; `keys.check` judges them."""
        # A driver that is named draws elsewhere.
        super().__init__(where, clock, keys, None if constants.DRIVER else TerminalDriver)
        self.failure: PlstuiError | None = None
        """Why the app ended by itself; None when a person left it."""
        self._connect = connect
        for own in own_themes():
            self.register_theme(own)
        self.theme = theme

    def get_default_screen(self) -> Screen[Any]:
        return OpeningScreen(self.where, self.quit_key)

    @on(Painted)
    def _start(self) -> None:
        self.run_worker(work(self._open), name="connect")

    async def _open(self) -> None:
        main = await self.open_main()
        try:
            self.runtime = await self._connect()
        except PlstuiError as error:
            self._fail(error)
        else:
            main.post_message(Connected(self.runtime))

    @property
    def crash(self) -> Exception | None:
        """What ended the app that nobody has foreseen; None when nothing did."""
        error = self._exception
        if isinstance(error, WorkerFailed) and isinstance(error.error, Exception):
            return error.error
        return error

    def _fatal_error(self) -> None:
        # Textual would print the traceback with the values of all variables, whatever secrets are in them. Whoever has
        # started the app tells of `crash`.
        self._close_messages_no_wait()

    @on(Failed)
    def _take_failure(self, event: Failed) -> None:
        self._fail(event.error)

    def _fail(self, error: PlstuiError) -> None:
        self.failure = error
        self.exit(return_code=1)

    async def on_unmount(self) -> None:
        if self.runtime:
            await asyncio.wait([asyncio.ensure_future(self.runtime.close())], timeout=CLOSING_TIME)
