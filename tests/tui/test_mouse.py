"""What a mouse does: a click selects, a click on the arrow folds, a double click opens; marking copies."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.selection import Selection
from textual.widget import Widget
from textual.widgets import Input

from plstui.domain.sides import Side
from plstui.tui.dialogs.details import DetailsScreen
from plstui.tui.panes.connections import ConnectionsTable
from plstui.tui.panes.screen import MainScreen
from plstui.tui.widgets.az_line import AzLine
from plstui.tui.widgets.resource_tree import ResourceTree
from tests.support.lab import Request, lab
from tests.support.stage import Play, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])


def tree(play: Play, side: Side) -> ResourceTree:
    return play.app.screen_stack[0].query_one(f"#{side.value} ResourceTree", ResourceTree)


def name_at_cursor(resources: ResourceTree) -> str:
    assert resources.cursor_node
    assert resources.cursor_node.data
    return resources.cursor_node.data.name


async def click(play: Play, widget: Widget, text: str, *, beside: int = 0, times: int = 1) -> None:
    """Click where a text stands on a widget, or some cells beside it."""
    region = widget.region
    for y in range(region.y, region.bottom):
        x = play.see().lines[y].find(text, 0)
        cells = len(play.see().lines[y][:x].encode("utf-16-le")) // 2
        if x >= 0 and region.x <= cells < region.right:
            await play.pilot.click(offset=(cells + beside, y), times=times)
            await play.pilot.pause()
            return
    raise AssertionError(f"{text!r} does not stand on {widget}:\n{play.see().text}")


@SIZES
async def test_a_click_in_a_tree_selects_and_a_double_click_opens(size: tuple[int, int]) -> None:
    one, two = Request(), Request(name="second", guid="g2", address="10.1.0.9")
    async with stage(lab(one, two), size=size) as play:
        table = play.app.screen.query_one(ConnectionsTable)
        customer = tree(play, Side.CUSTOMER)
        await click(play, customer, "second")
        assert name_at_cursor(customer) == "second"
        assert isinstance(play.app.screen, MainScreen)
        await play.until(lambda: table.cursor == two.connection_id)
        # Moved elsewhere, the tree's cursor follows; a click on the row where it then stands selects too.
        await play.press("1", "up")
        await play.until(lambda: table.cursor == one.connection_id)
        await click(play, customer, one.name)
        await click(play, customer, "second")
        await play.until(lambda: table.cursor == two.connection_id)
        await click(play, customer, one.name, times=2)
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))
        await play.press("escape")
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))


@SIZES
async def test_a_click_on_the_arrow_folds(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        isv = tree(play, Side.ISV)
        for _ in range(2):
            await click(play, isv, "privatelink", beside=-2)
            await play.until(lambda: "web1" not in play.see().text.split("╰")[0])
            await click(play, isv, "▸ privatelink")
            await play.until(lambda: "▾ privatelink" in play.see().text)
            assert isinstance(play.app.screen, MainScreen)
            # Once more with the cursor on that row, where it is painted in another way.
            await click(play, isv, "privatelink")
            assert isv.has_focus


@SIZES
async def test_tables_do_the_same(size: tuple[int, int]) -> None:
    one, two = Request(), Request(name="second", guid="g2", address="10.1.0.9")
    async with stage(lab(one, two), size=size) as play:
        table = play.app.screen.query_one(ConnectionsTable)
        await click(play, table, "second")
        await play.until(lambda: table.cursor == two.connection_id)
        assert isinstance(play.app.screen, MainScreen)
        await click(play, table, one.name)
        await play.until(lambda: table.cursor == one.connection_id)
        assert isinstance(play.app.screen, MainScreen), "two clicks on two rows are no double click"
        await click(play, table, "second", times=2)
        await play.until(lambda: isinstance(play.app.screen, DetailsScreen))


async def mark(play: Play, widget: Widget) -> None:
    """Mark all of a widget's text that is in view, and a little more."""
    shown = widget.region.intersection(play.app.screen.region)
    await play.pilot.mouse_down(offset=(shown.x + widget.styles.padding.left, shown.y))
    await play.pilot.hover(offset=(shown.right - 1, shown.bottom - 1))
    await play.pilot.mouse_up(offset=(shown.right - 1, shown.bottom - 1))
    await play.pilot.pause()


def words_in_a_shell(command: str) -> list[str]:
    """What a shell hands to `az`."""
    script = f"az() {{ printf '%s\\n' \"$@\"; }}\n{command}\n"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=30)
    return ["az", *done.stdout.splitlines()]


@pytest.mark.parametrize("size", [(46, 40), (80, 24), (160, 48)], ids=["46x40", "80x24", "160x48"])
@pytest.mark.parametrize("key", ["a", "x", "d", "i"])
async def test_a_marked_command_is_copied_as_one(size: tuple[int, int], key: str) -> None:
    async with stage(lab(Request(name="endpoint-with-a-long-name-" * 2)), size=size) as play:
        await play.press(key)
        await play.until(lambda: len(play.app.screen_stack) == 2)
        az = play.app.screen.query_one(AzLine)
        await mark(play, az)
        assert play.app.clipboard == az.line
        # Ctrl+C copies what was marked, also where the line to type in holds a selection of its own.
        play.app.copy_to_clipboard("")
        await play.press("ctrl+c")
        assert play.app.clipboard == az.line
        # What stands on the screen is one command too, for whoever marks it by the terminal's own means.
        shown = az.render().plain
        assert len(shown.splitlines()) > 1
        assert words_in_a_shell(shown) == shlex.split(az.line)


class AzApp(App[None]):
    """Several commands alone."""

    def compose(self) -> ComposeResult:
        yield AzLine("# Two of them.\naz group show --name 'a group'\naz network vnet show --ids /" + "long/" * 20)


@pytest.mark.parametrize("width", [24, 60])
async def test_several_marked_commands_are_copied_one_a_line(width: int) -> None:
    app = AzApp()
    async with app.run_test(size=(width, 24)) as pilot:
        az = app.query_one(AzLine)
        await pilot.mouse_down(az, offset=(0, 0))
        await pilot.hover(az, offset=(az.size.width - 1, az.size.height - 1))
        await pilot.mouse_up(az, offset=(az.size.width - 1, az.size.height - 1))
        assert app.screen.get_selected_text() == az.line
        # Less of it is less of a command, and no more than that.
        assert az.get_selection(Selection(Offset(0, 1), Offset(8, 1))) == ("az group", "\n")


async def test_without_a_mark_ctrl_c_copies_what_is_selected_in_the_line() -> None:
    async with stage(lab()) as play:
        await play.press("a")
        await play.until(lambda: isinstance(play.app.focused, Input))
        await play.press("ctrl+c")
        assert play.app.clipboard == "Approved with plstui"


async def test_a_click_copies_nothing() -> None:
    async with stage(lab()) as play:
        play.app.copy_to_clipboard("as it was")
        await click(play, play.app.screen.query_one(ConnectionsTable), "saasPrivateEndpoint", times=2)
        assert play.app.clipboard == "as it was"
