"""An app whose dialogs get what is meant for them, and nothing that was meant for what they cover."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from textual import events, on
from textual._context import active_message_pump
from textual.app import App
from textual.await_complete import AwaitComplete
from textual.command import CommandList
from textual.notifications import Notification, Notify
from textual.screen import ModalScreen, Screen, ScreenResultType
from textual.widget import Widget
from textual.widgets import Input

from plstui.tui.dialog import TYPING, Dialog
from plstui.tui.held_keys import HeldKeys
from plstui.tui.messages import FilterLeft

if TYPE_CHECKING:
    from textual.driver import Driver

    from plstui.engine.ports import Clock

WAITING: Final = 3
"""Notifications that wait until a dialog is closed; what came before these stands in the logs."""

PAGES: Final = frozenset({"pageup", "pagedown"})

MARKED: Final = "What you marked is in the clipboard, if your terminal allows that."


class DialogApp(App[None]):
    """Keeps held keys, second clicks and toasts away from dialogs, and dialogs away from whoever is busy elsewhere."""

    def __init__(self, clock: Clock | None, driver_class: type[Driver] | None, quit_key: str) -> None:
        super().__init__(driver_class=driver_class)
        self.quit_key = quit_key
        self._held = HeldKeys(clock.monotonic if clock else time.monotonic)
        self._waiting = deque[Notification](maxlen=WAITING)
        """What is shown when the dialog is closed that is open now."""
        self._one_question = asyncio.Lock()
        self._freed = asyncio.Event()
        """Set when a dialog has closed, or nobody types any more."""
        self._late: Screen[Any] | None = None
        """The last question that had to wait: whoever closed what it waited for may not have seen it yet."""

    async def on_event(self, event: events.Event) -> None:
        """Hand an event on, unless it is a key that somebody still holds down."""
        if isinstance(event, events.Key) and not event.is_forwarded and (self._strays(event) or self._fails(event)):
            return
        await super().on_event(event)

    def _strays(self, event: events.Key) -> bool:
        """Whether a key is still held down that was pressed for something else."""
        field = self.focused if isinstance(self.focused, Input) else None
        leaves = event.character == self.quit_key
        strays = self._held.strays(event.key, field or self.screen, {*self.screen_stack, field}, leaves=leaves)
        # Enter and Escape may be pressed twice by intent: to say yes to two questions, to leave two screens.
        return strays and (event.is_printable or self.screen is self._late)

    def _fails(self, event: events.Key) -> bool:
        """Whether Textual would fail: its palette cannot turn the page of a list that has no room."""
        return event.key in PAGES and any(
            not found.scrollable_content_region for found in self.screen.query(CommandList)
        )

    def on_notify(self, event: Notify) -> None:
        """Show a toast once no dialog is open that it would cover, and not beside another that says the same."""
        new = event.notification
        if isinstance(self.screen, ModalScreen):
            self._waiting.append(new)
            event.prevent_default()
        elif any((old.message, old.title) == (new.message, new.title) for old in self._notifications):
            event.prevent_default()

    async def push_screen_wait(self, screen: Screen[ScreenResultType] | str, *, mode: str | None = None) -> Any:
        """Show what a worker asks, once no other dialog is open and nobody types; the answer.

        A worker asks when it has come so far, and not when a key is pressed: whatever is typed in that moment is meant
        for something else.
        """
        late = self._one_question.locked() or self._is_taken()
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def take(answer: Any) -> None:
            if not answered.done():
                answered.set_result(answer)

        async with self._one_question:
            while self._is_taken():
                self._freed.clear()
                await self._freed.wait()
            shown = self.push_screen(screen, take, mode=mode)
            if late:
                self._late = self.screen
            await shown
            return await answered

    def _is_taken(self) -> bool:
        """Whether keys are meant for a dialog or for a line of text."""
        screen = self.screen
        return isinstance(screen, ModalScreen) or isinstance(screen.focused, Input) or screen.has_class(TYPING)

    @on(events.DescendantBlur)
    @on(FilterLeft)
    def _be_free(self) -> None:
        self._freed.set()

    def pop_screen(self) -> AwaitComplete:
        """Close the screen that is on top, unless it is another one that closes itself."""
        # Keys and clicks do not wait for one another: a second Enter may reach a dialog that the first one has closed.
        asking = active_message_pump.get(None)
        if isinstance(asking, Widget) and self.screen not in asking.ancestors_with_self:
            return AwaitComplete()
        closed = super().pop_screen()
        self._freed.set()
        while self._waiting and not isinstance(self.screen, ModalScreen):
            late = self._waiting.popleft()
            # Anew, for its time has begun to run.
            self.notify(late.message, title=late.title, severity=late.severity, markup=False)
        return closed

    def tell(self, text: str) -> None:
        """Answer a key or a click: in the dialog, if it was pressed in one."""
        if isinstance(self.screen, Dialog):
            self.screen.tell(text)
        else:
            self.notify(text, markup=False)

    @on(events.TextSelected)
    def _copy_marked(self) -> None:
        """Marking is copying, as it is in terminals."""
        marked = self.screen.get_selected_text()
        if marked and marked != self.clipboard:
            self.copy_to_clipboard(marked)
            self.tell(MARKED)

    def action_help_quit(self) -> None:
        """Ctrl+C copies where text is typed and otherwise only tells how to leave, in the words of our own keys."""
        # Of dialogs Textual does not come here: they answer themselves.
        self.notify(f"Press {self.quit_key} to quit.", markup=False)
