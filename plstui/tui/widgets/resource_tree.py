"""One side's resources as a tree that is changed, never built anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from plstui.domain.connection import CONNECTION_TYPE, endpoint_name_of
from plstui.domain.ids import ResourceId
from plstui.domain.states import Tone, tone_of
from plstui.domain.text import ELLIPSIS, clean
from plstui.domain.tree import TreeRow
from plstui.tui.messages import DetailsRequested, ResourceHighlighted
from plstui.tui.tones import BUSY, COMPONENTS, badge, busy_badge, ink

KIND_FROM = 64
"""Cells from which there is room to say what kind of resource a row is."""

ARROW = Style.from_meta({"toggle": True})
"""Marks the cells of a row that fold it when they are clicked."""

MANY = 12
"""Children above which a row starts folded: the rest of the side would be out of sight below them."""

_STARTS_OPEN = frozenset({"microsoft.resources/resourcegroups", "microsoft.network/privatelinkservices"})
"""What is unfolded at first. Interfaces and subnets wait inside the rows that say the same in fewer words."""

_KINDS = {
    "microsoft.resources/resourcegroups": "group",
    "microsoft.network/virtualnetworks": "network",
    "microsoft.network/virtualnetworks/subnets": "subnet",
    "microsoft.network/networksecuritygroups": "rules",
    "microsoft.network/networkinterfaces": "interface",
    "microsoft.network/loadbalancers": "balancer",
    "microsoft.network/privatelinkservices": "service",
    "microsoft.network/privatelinkservices/privateendpointconnections": "connection",
    "microsoft.network/privateendpoints": "endpoint",
    "microsoft.compute/virtualmachines": "machine",
}
KIND_WIDTH = max(len(kind) for kind in _KINDS.values()) + 1


class ResourceTree(Tree[TreeRow]):
    """Rows by id: what went is removed, what changed is relabelled, what came is added."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "fold", "Fold", show=False),
        Binding("right", "unfold", "Unfold", show=False),
        Binding("k", "cursor_up", "Up", show=False),
        Binding("j", "cursor_down", "Down", show=False),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)

    rows: reactive[tuple[TreeRow, ...]] = reactive(())
    """What is shown, parents before children."""
    under_way: reactive[Mapping[ResourceId, str]] = reactive(dict)
    """What the writes do that Azure has not answered yet, by what they are written to."""
    marked: reactive[tuple[ResourceId, ...]] = reactive(())
    """What is selected elsewhere; the cursor goes there as long as nobody moves it here."""

    def __init__(self) -> None:
        super().__init__("")
        self.show_root = False
        self.show_guides = False
        self.guide_depth = 2
        self.auto_expand = False
        self._nodes_by_id: dict[ResourceId, TreeNode[TreeRow]] = {}
        self._badge_width = 0

    def watch_rows(self) -> None:
        line = self.cursor_line
        badge_width = max((cell_len(badge(row.state, row.tone)) for row in self.rows), default=0)
        if badge_width != self._badge_width:
            self._badge_width = badge_width
            self._lay_out()
        kept = self.cursor_node.data.id if self.cursor_node and self.cursor_node.data else None
        self._remove_gone()
        self._add_and_relabel()
        self._restore_cursor(kept, line)
        self.watch_marked()

    def _lay_out(self) -> None:
        """Paint every row anew: the columns have moved, and the tree keeps painted rows."""
        for node in self._nodes_by_id.values():
            node.refresh()

    def watch_marked(self) -> None:
        # Once the tree has its size: before that there is no telling what is in view.
        self.call_after_refresh(self._go_to_marked)

    def _go_to_marked(self) -> None:
        node = next((self._nodes_by_id[i] for i in self.marked if i in self._nodes_by_id), None)
        while node is not None and node.line < 0 and node.parent is not None:
            node = node.parent
        if node is not None and not self.has_focus and node.line != self.cursor_line:
            self.move_cursor(node)

    def watch_under_way(self, before: Mapping[ResourceId, str], now: Mapping[ResourceId, str]) -> None:
        for resource_id in before.keys() ^ now.keys():
            if node := self._nodes_by_id.get(resource_id):
                node.refresh()

    def _remove_gone(self) -> None:
        parents = {row.id: row.parent_id for row in self.rows}
        for resource_id, node in list(self._nodes_by_id.items()):
            row = node.data
            if row is not None and parents.get(resource_id, _GONE) != row.parent_id:
                self._forget(node)

    def _forget(self, node: TreeNode[TreeRow]) -> None:
        """Remove a node with everything under it, once."""
        if node.data is None or self._nodes_by_id.pop(node.data.id, None) is None:
            return
        for child in list(node.children):
            self._forget(child)
        node.remove()

    def _add_and_relabel(self) -> None:
        children = Counter(row.parent_id for row in self.rows)
        places: dict[ResourceId | None, int] = {}
        for row in self.rows:
            place = places.get(row.parent_id, 0)
            places[row.parent_id] = place + 1
            node = self._nodes_by_id.get(row.id)
            if node is None:
                parent = self._nodes_by_id[row.parent_id] if row.parent_id else self.root
                if parent.data is not None and not parent.allow_expand:
                    parent.allow_expand = True
                    if parent.data.type.lower() in _STARTS_OPEN and children[row.parent_id] <= MANY:
                        parent.expand()
                self._nodes_by_id[row.id] = parent.add(_plain(row), row, before=place, allow_expand=False)
            elif node.data != row:
                node.data = row
                node.set_label(_plain(row))

    def _restore_cursor(self, kept: ResourceId | None, line: int) -> None:
        if not self.rows:
            return
        node = self._nodes_by_id.get(kept) if kept else None
        if node is not None:
            if node.line != self.cursor_line:
                self.cursor_line = node.line
        else:
            self.cursor_line = max(0, min(line, self.last_line))

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[TreeRow]) -> None:
        """Say where the cursor is, when a person has moved it."""
        event.stop()
        if self.has_focus and event.node.data:
            self.post_message(ResourceHighlighted(event.node.data.id))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to the row that was clicked, or fold it at its arrow; a double click asks for its details."""
        # Textual's own way opens a row by the first click.
        event.prevent_default()
        line = event.style.meta.get("line")
        node = None if line is None else self.get_node_at_line(line)
        if node is None:
            return
        if event.style.meta.get("toggle"):
            node.toggle()
        elif event.chain > 1:
            self.action_select_cursor()
        elif node is not self.cursor_node:
            self.move_cursor(node)
        elif node.data:
            # Where the cursor has not been moved nothing else says so.
            self.post_message(ResourceHighlighted(node.data.id))

    def on_tree_node_selected(self, event: Tree.NodeSelected[TreeRow]) -> None:
        """Enter: ask for the details."""
        event.stop()
        if event.node.data:
            self.post_message(DetailsRequested(event.node.data.id))

    def action_fold(self) -> None:
        """Close the row under the cursor, or go to its parent."""
        node = self.cursor_node
        if node is None:
            return
        if node.allow_expand and node.is_expanded:
            node.collapse()
        elif node.parent and not node.parent.is_root:
            self.move_cursor(node.parent)

    def action_unfold(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_node and self.cursor_node.allow_expand:
            self.cursor_node.expand()

    def process_label(self, label: str | Text) -> Text:
        """Labels are plain text; the painting is done in `render_label`."""
        return label if isinstance(label, Text) else Text(label)

    def get_label_width(self, node: TreeNode[TreeRow]) -> int:
        """Every label fills its line, so nothing ever scrolls sideways."""
        return max(0, self.scrollable_content_region.width - self._indent(node))

    def _indent(self, node: TreeNode[TreeRow]) -> int:
        depth, above = 0, node.parent
        while above is not None and not above.is_root:
            depth, above = depth + 1, above.parent
        return depth * self.guide_depth

    def render_label(self, node: TreeNode[TreeRow], base_style: Style, style: Style) -> Text:
        """Name and detail at the left, the badge at the right edge."""
        row = node.data
        width = self.get_label_width(node)
        if row is None or width == 0:
            return Text("")
        quiet = ink(self, Tone.QUIET)
        doing = self.under_way.get(row.id)
        state, tone = (busy_badge(doing), BUSY) if doing else (badge(row.state, row.tone), row.tone.value)
        state_width = max(self._badge_width, cell_len(state)) + 1
        arrow = ("▾ " if node.is_expanded else "▸ ") if node.allow_expand else "  "
        name, rest = name_and_rest(row)
        room = max(1, width - cell_len(arrow) - state_width)
        head = _cut(name, room)
        tail = _tail(clean(rest, 120), room - cell_len(head))
        spare = room - cell_len(head) - cell_len(tail)
        kind = _kind(row) if self.size.width >= KIND_FROM and spare > KIND_WIDTH else ""
        text = Text(no_wrap=True, end="")
        text.append(arrow, quiet + ARROW if node.allow_expand else quiet)
        text.append(head)
        # A row that looks worse than its word says has the reason in its detail.
        text.append(tail, ink(self, row.tone) if row.tone is not tone_of(row.state) else quiet)
        text.append(" " * (spare - cell_len(kind)) + kind + " ", quiet)
        text.append(state, ink(self, tone))
        text.truncate(width, pad=True)
        if self.has_focus and node is self.cursor_node:
            # Tones would be hard to read on the cursor's bar; glyph and word say the same.
            text = Text(text.plain, no_wrap=True, end="")
            if node.allow_expand:
                text.stylize(ARROW, 0, len(arrow))
        text.stylize_before(style)
        return text


_GONE = ResourceId("")


def _plain(row: TreeRow) -> Text:
    return Text(clean(row.name, 120))


def _kind(row: TreeRow) -> str:
    return _KINDS.get(row.type.lower(), clean(row.type.rsplit("/", 1)[-1], KIND_WIDTH - 1)) + " "


def name_and_rest(row: TreeRow) -> tuple[str, str]:
    """A row's name and the words after it. A connection is named after its endpoint; its guid stands in the details."""
    if row.id.is_type(CONNECTION_TYPE):
        return clean(endpoint_name_of(row.name), 120), clean(row.location, 40)
    return clean(row.name, 120), clean(row.detail, 120)


def _tail(rest: str, room: int) -> str:
    """A row's detail with the gap before it: as many words as fit, for half an address helps nobody."""
    words = rest.split()
    shown = list(words)
    while shown and cell_len(" ".join(shown)) + 2 + (len(shown) < len(words)) > room:
        shown.pop()
    return f"  {' '.join(shown)}{ELLIPSIS if len(shown) < len(words) else ''}" if shown else ""


def _cut(text: str, width: int) -> str:
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + ELLIPSIS
