"""Opens screens for those who ask by message: no screen knows another, and imports wait until they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from plstui.tui.commands import PROGRAM, keys_of
from plstui.tui.dialog_app import DialogApp
from plstui.tui.messages import OpenDetails, OpenHelp, OpenLab

if TYPE_CHECKING:
    from textual.driver import Driver

    from plstui.domain.question import Question
    from plstui.engine.ports import Clock
    from plstui.engine.runtime import Runtime
    from plstui.tui.panes.screen import MainScreen

LAB: Final = "lab"
"""The name of the installed lab screen."""


class Opener(DialogApp):
    """An app that has the main screen, the lab, and what lies over both."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+z", "suspend_process", show=False, priority=True)]

    def __init__(
        self, where: str, clock: Clock | None, keys: Mapping[str, str], driver_class: type[Driver] | None
    ) -> None:
        """`keys` are those that are not the usual ones, by the ids of their commands."""
        super().__init__(clock, driver_class, keys_of(PROGRAM, keys)["quit"])
        self.where = where
        self.runtime: Runtime | None = None
        """None until something is connected."""
        self._clock = clock
        self._chosen = keys
        self.set_keymap(keys)

    async def open_main(self) -> MainScreen:
        """Put the main screen in the place of the first one."""
        # Only now: these imports take longer than the first frame.
        from plstui.engine.ports import SystemClock
        from plstui.tui.doctor.view import DoctorView
        from plstui.tui.panes.commands import COMMANDS
        from plstui.tui.panes.screen import MainScreen
        from plstui.tui.probe.view import ProbeView

        self._clock = self._clock or SystemClock()
        keys = keys_of(COMMANDS, self._chosen)
        probe, doctor = ProbeView(keys["probe"]), DoctorView(keys)
        main = self._main = MainScreen(self.where, self._clock, keys, probe=probe, doctor=doctor)
        # Styles are read once, and not anew for each of the three reasons that Textual sees in a screen that is new.
        self.stylesheet.read_all(main.css_path)
        main._css_update_count = self._css_update_count
        # A mode, because Textual cannot switch its default screen for another.
        self.add_mode("main", lambda: main)
        await self.switch_mode("main")
        return main

    @on(OpenLab)
    def _open_lab(self, event: OpenLab) -> None:
        from plstui.tui.lab.commands import LAB_COMMANDS
        from plstui.tui.lab.screen import LabScreen

        assert self.runtime is not None, "the command's why_not lets nobody through before anything is connected"
        assert self._clock is not None
        if not self.is_screen_installed(LAB):
            keys = {**self._main.keys, **keys_of(LAB_COMMANDS, self._chosen)}
            # It stays when it is left, so that what it has started goes on.
            self.install_screen(LabScreen(self.runtime, self.where, self._clock, keys, self._main), LAB)
        # The key may have been pressed twice.
        if self.screen is self._main:
            self.get_screen(LAB, LabScreen).show_step(event.step)
            self.push_screen(LAB)

    @on(OpenHelp)
    def _open_help(self, event: OpenHelp) -> None:
        from plstui.tui.dialogs.help import HelpScreen

        if not self.screen.is_modal:
            self.push_screen(HelpScreen(event.offers))

    @on(OpenDetails)
    def _open_details(self, event: OpenDetails) -> None:
        from plstui.tui.dialogs.details import DetailsScreen

        # Two clicks on a row ask for its details twice.
        if not self.screen.is_modal:
            self.push_screen(DetailsScreen(event.details, self._main.keys["copy"]))

    async def ask(self, question: Question) -> str | None:
        """Ask the person what a probe cannot know. What asks may be cancelled: then the question goes away."""
        from plstui.tui.dialogs.ask import AskScreen

        screen = AskScreen(question)
        try:
            answer: str | None = await self.push_screen_wait(screen)
            return answer
        finally:
            screen.withdraw()

    async def action_quit(self) -> None:
        """Leave; where something still runs, once a person has seen what that is."""
        from plstui.tui.commanding import CommandingScreen
        from plstui.tui.dialogs.leave import LeaveScreen

        screens = dict.fromkeys((*self.screen_stack, *self._installed_screens.values()))
        running = [work for screen in screens if isinstance(screen, CommandingScreen) for work in screen.running()]
        if running and not isinstance(self.screen, LeaveScreen):
            self.push_screen(LeaveScreen(running), lambda leave: self.exit() if leave else None)
        else:
            self.exit()
