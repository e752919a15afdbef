"""What lies over a screen and nothing lies over."""

from __future__ import annotations

from typing import ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen, ScreenResultType
from textual.widgets import Button


class AnswerButton(Button):
    """A button of a dialog. Marking the text above it with the mouse does not mark its label too."""

    ALLOW_SELECT = False


class Dialog(ModalScreen[ScreenResultType]):
    """A question or a page, in a frame of the class `dialog`. What it has to say besides stands in that frame."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # Before the line where text is typed, which would copy what is selected in it and not what was marked.
        Binding("ctrl+c,super+c", "copy_marked", "Copy", show=False, priority=True),
    ]

    def tell(self, text: str) -> None:
        """Say something without covering anything."""
        for frame in self.query(".dialog"):
            frame.border_subtitle = Content(text)

    def action_copy_marked(self) -> None:
        """Copy what was marked with the mouse."""
        if not self.get_selected_text():
            raise SkipAction
        self.action_copy_text()
