"""What lies over a screen and nothing lies over."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button, Input

HEIGHTS: Final = [(0, "-low"), (30, "-high")]
"""Lines from which the style sheet leaves some of them empty."""

TYPING: Final = "-typing"
"""The class of a screen that lies under dialogs and on which somebody types, or is about to."""


class AnswerButton(Button):
    """A button of a dialog. Marking the text above it with the mouse does not mark its label too."""

    ALLOW_SELECT = False


class Dialog(ModalScreen[ScreenResultType]):
    """A question or a page, in a frame of the class `dialog`. What it has to say besides stands in that frame."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the line where text is typed, which would copy what is selected in it and not what was marked.
        Binding("ctrl+c,super+c", "copy_marked", "Copy", show=False, priority=True),
        # For what has the focus and does not scroll: a button, a line where text is typed.
        Binding("up", "scroll(-1)", "Scroll up", show=False),
        Binding("down", "scroll(1)", "Scroll down", show=False),
    ]
    VERTICAL_BREAKPOINTS = HEIGHTS

    def tell(self, text: str) -> None:
        """Say something without covering anything."""
        for frame in self.query(".dialog"):
            frame.border_subtitle = Content(text)

    def action_scroll(self, lines: int) -> None:
        """Move what does not fit between the frame and the buttons."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_copy_marked(self) -> None:
        """Copy what was marked with the mouse; where nothing is, and nobody types, tell how to leave."""
        if not self.get_selected_text():
            if not isinstance(self.focused, Input):
                self.tell("Press Esc to close this.")
            raise SkipAction
        self.action_copy_text()
