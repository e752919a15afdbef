"""Lines of which the newest stands last, and stays in view."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class FollowingLog(VerticalScroll):
    """Follows its last line until a person scrolls up, and again once a person is back at the end.

    Anchored, so that it is the layout that follows: whether the end is in view cannot be asked here, since lines that
    come while another screen is on top are laid out only when this one is shown again.
    """

    DEFAULT_CSS = """
    /* As high as its frame at least: an anchored scroll puts what is shorter at the bottom. */
    FollowingLog > Static {
        min-height: 100%;
    }
    """

    def compose(self) -> ComposeResult:
        yield Static()

    def on_mount(self) -> None:
        self.anchor()

    def show(self, lines: Iterable[Content]) -> None:
        """Show these lines and no others."""
        for static in self.query_children(Static):
            static.update(Content("\n").join(lines))

    def release_anchor(self) -> None:
        """Whoever scrolls is followed no longer, unless that leads nowhere but to the end."""
        super().release_anchor()
        self.call_after_refresh(self._follow_from_the_end)

    def _follow_from_the_end(self) -> None:
        if self.scroll_target_y >= self.max_scroll_y and not self.is_vertical_scrollbar_grabbed:
            self.anchor()
