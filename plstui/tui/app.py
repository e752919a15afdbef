"""The app: paints first, connects then, and gives everything back at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import constants, on
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.screen import Screen
from textual.types import CSSPathType
from textual.worker import WorkerFailed

from plstui.domain.errors import PlstuiError
from plstui.tui.dialog_app import DialogApp
from plstui.tui.driver import TerminalDriver
from plstui.tui.messages import Connected, Failed, Painted
from plstui.tui.screens.opening import OpeningScreen
from plstui.tui.themes import DEFAULT, own_themes
from plstui.tui.work import work

if TYPE_CHECKING:
    from plstui.domain.question import Question
    from plstui.engine.ports import Clock
    from plstui.engine.runtime import Runtime

CLOSING_TIME = 0.3
"""Seconds that closing may take before the program leaves anyway: a person who pressed q has seen enough."""


def _registry() -> type[Provider]:
    from plstui.tui.palette import RegistryProvider

    return RegistryProvider


class PlstuiApp(DialogApp):
    """Both sides of a private link, live.

    `connect` is called once the first frame is on the screen, and may import and start whatever it needs. When it
    raises a `PlstuiError`, or nobody turns out to be signed in, the app ends with return code 1 and `failure` set.
    """

    TITLE = "plstui"
    CSS_PATH: ClassVar[CSSPathType | None] = ["styles/tones.tcss", "styles/toasts.tcss"]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_registry}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", show=False, priority=True)]

    def __init__(
        self,
        connect: Callable[[], Awaitable[Runtime]],
        *,
        where: str = "",
        theme: str = DEFAULT,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock, None if constants.DRIVER else TerminalDriver)  # A named one draws elsewhere.
        self.failure: PlstuiError | None = None
        """Why the app ended by itself; None when a person left it."""
        self._connect = connect
        self._where = where
        self._clock = clock
        self._runtime: Runtime | None = None
        for own in own_themes():
            self.register_theme(own)
        self.theme = theme

    def get_default_screen(self) -> Screen[Any]:
        return OpeningScreen(self._where)

    @on(Painted)
    def _start(self) -> None:
        self.run_worker(work(self._open), name="connect")

    async def _open(self) -> None:
        # Only now: these imports take longer than the first frame.
        from plstui.engine.ports import SystemClock
        from plstui.tui.screens.main import MainScreen

        main = MainScreen(self._where, self._clock or SystemClock())
        # Styles are read once, and not anew for each of the three reasons that Textual sees in a screen that is new.
        self.stylesheet.read_all(main.css_path)
        main._css_update_count = self._css_update_count
        # A mode, because Textual cannot switch its default screen for another.
        self.add_mode("main", lambda: main)
        await self.switch_mode("main")
        try:
            self._runtime = await self._connect()
        except PlstuiError as error:
            self._fail(error)
        else:
            main.post_message(Connected(self._runtime))

    async def ask(self, question: Question) -> str | None:
        """Ask the person what a probe cannot know. What asks may be cancelled: then the question goes away."""
        from plstui.tui.screens.ask import AskScreen

        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        screen = AskScreen(question)

        def take(answer: str | None) -> None:
            if not answered.done():
                answered.set_result(answer)

        try:
            await self.push_screen(screen, take)
            return await answered
        finally:
            screen.withdraw()

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

    async def action_quit(self) -> None:
        """Leave; where something still runs, once a person has seen what that is."""
        from plstui.tui.screens.commanding import CommandingScreen
        from plstui.tui.screens.leave import LeaveScreen

        screens = dict.fromkeys((*self.screen_stack, *self._installed_screens.values()))
        running = [work for screen in screens if isinstance(screen, CommandingScreen) for work in screen.running()]
        if running and not isinstance(self.screen, LeaveScreen):
            self.push_screen(LeaveScreen(running), lambda leave: self.exit() if leave else None)
        else:
            self.exit()

    @on(Failed)
    def _take_failure(self, event: Failed) -> None:
        self._fail(event.error)

    def _fail(self, error: PlstuiError) -> None:
        self.failure = error
        self.exit(return_code=1)

    async def on_unmount(self) -> None:
        if self._runtime:
            await asyncio.wait([asyncio.ensure_future(self._runtime.close())], timeout=CLOSING_TIME)
