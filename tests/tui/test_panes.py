"""What both panes and the tables under them show, and what stays where it was when they are refreshed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widget import Widget

from plstui.domain.connection import APPROVED, DISCONNECTED, PENDING, REJECTED, ConnectionStatus
from plstui.domain.errors import AzureError, UnreachableError
from plstui.domain.sides import Side
from plstui.domain.world import World
from plstui.tui.panes.connections import ConnectionsTable
from plstui.tui.widgets.resource_tree import ResourceTree
from tests.support.cloud import Cloud
from tests.support.lab import Request, crowd, empty, lab, with_status
from tests.support.stage import Stage, stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)], ids=["80x24", "100x30", "160x48"])


def tree(play: Stage, side: Side) -> ResourceTree:
    return play.app.screen.query_one(f"#{side.value} ResourceTree", ResourceTree)


def halves(play: Stage) -> tuple[str, str]:
    """The text of the ISV's pane and of the customer's."""
    lines = [line for line in play.see().lines if line.count("│") == 4]
    parts = [line.split("│") for line in lines]
    return "\n".join(part[1] for part in parts), "\n".join(part[3] for part in parts)


@SIZES
async def test_both_panes_fill(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        seen = await play.shows("🔵 ISV", "🟢 Customer", "saasPrivateEndpoint", "● live")
        for name in ("web1", "web2", "web3"):
            assert "✔ running" in seen.line(name)
        assert "✔ 3/3" in seen.line("loadBalancer")
        isv, customer = halves(play)
        assert "saasPrivateEndpoint" in isv
        assert "saasPrivateEndpoint" in customer


@SIZES
@pytest.mark.parametrize(
    ("status", "badge"),
    [(PENDING, "◷ Pending"), (APPROVED, "✔ Approved"), (REJECTED, "✖ Rejected"), (DISCONNECTED, "⊘ Disconnected")],
    ids=str,
)
async def test_both_panes_and_the_table_say_the_state(
    size: tuple[int, int], status: ConnectionStatus, badge: str
) -> None:
    async with stage(with_status(status), size=size) as play:
        isv, customer = halves(play)
        assert badge in isv
        assert badge in customer
        assert badge in play.see().line("Customer: Tradewinds")


async def test_a_removed_connection_is_seen_at_the_endpoint_only() -> None:
    async with stage(with_status(DISCONNECTED, at_service=False)) as play:
        isv, customer = halves(play)
        assert "saasPrivateEndpoint" not in isv
        assert "⊘ Disconnected" in customer
        row = play.see().line("Customer: Tradewinds")
        assert "🟢" in row
        assert "🔵" not in row


async def test_badges_stay_in_one_column_when_a_longer_one_comes() -> None:
    async with stage(with_status(APPROVED), size=(80, 24)) as play:
        play.cloud.become(with_status(DISCONNECTED, at_service=False))
        await play.press("r")
        await play.shows("⊘ Disconnected", gone=("✔ Approved",))
        await play.pilot.pause()
        for half in halves(play):
            columns = {max(line.rfind(glyph) for glyph in "✔⊘") for line in half.splitlines() if line.strip()}
            assert len(columns) == 1, half
            # The end of a scrollbar's thumb is a part of a block.
            ends = (len(line.rstrip(" ▁▂▃▄▅▆▇")) for line in half.splitlines())
            assert max(ends) == 37, "the column ends before the scrollbar"


async def test_empty_subscriptions_say_so() -> None:
    async with stage(empty()) as play:
        seen = await play.shows("There is nothing in this subscription yet.", "No private link connection yet")
        assert seen.text.count("There is nothing in this subscription yet.") == 2


@pytest.mark.parametrize("side", list(Side))
async def test_one_side_may_be_left_unconfigured(side: Side) -> None:
    world = lab()
    shown = World(world.isv, None) if side is Side.ISV else World(None, world.customer)
    async with stage(shown) as play:
        seen = await play.shows("This side is not configured.", f"--{side.other.value} SUBSCRIPTION")
        row = seen.line("▸ ◷ Pending")
        assert side.marker in row
        assert side.other.marker not in row


async def test_a_stale_pane_keeps_its_content_with_age_and_reason() -> None:
    async with stage(lab()) as play:
        play.cloud.faults[Side.CUSTOMER] = UnreachableError("management.azure.com does not answer.")
        await play.press("r")
        await play.shows("✖ stale", "management.azure.com does not answer.")
        await play.turn(70)
        seen = await play.shows("stale · read 1 min ago")
        _, customer = halves(play)
        assert "saasPrivateEndpoint" in customer
        assert "Since " in customer
        assert "● live" in seen.text, "the other side goes on"

        play.cloud.faults.clear()
        await play.press("r")
        await play.shows("🟢 Customer: live again", gone=("stale", "does not answer"))


async def test_what_happens_elsewhere_appears_by_itself() -> None:
    async with stage(lab()) as play:
        play.cloud.become(lab(Request(), Request(name="second", guid="g2", address="10.1.0.9")))
        await play.turn(6)
        await play.shows("second", "2 pending")


async def test_cursor_and_folds_survive_refreshes() -> None:
    async with stage(lab()) as play:
        await play.press("tab")
        assert tree(play, Side.ISV).has_focus
        await play.press("end", "up")
        isv = tree(play, Side.ISV)
        assert isv.cursor_node
        assert isv.cursor_node.data
        assert isv.cursor_node.data.name == "virtualNetwork"
        await play.press("right")
        await play.shows("saas  10.0.1.0/24")

        # Something above the cursor comes, and something else changes.
        play.cloud.become(lab(Request(status=APPROVED), Request(name="another", guid="g2", address="10.1.0.9")))
        await play.press("r")
        await play.shows("another", "Approved", "saas  10.0.1.0/24")
        assert isv.cursor_node
        assert isv.cursor_node.data
        assert isv.cursor_node.data.name == "virtualNetwork"

        # What the cursor stood on goes: the cursor takes the place, the rest stays.
        assert play.cloud.world.isv
        play.cloud.sides[Side.ISV] = replace(play.cloud.world.isv, networks=())
        await play.press("r")
        await play.shows("networkSecurityGroup", gone=("virtualNetwork",))
        assert isv.cursor_node
        assert isv.cursor_node.data
        assert isv.cursor_node.data.name == "networkSecurityGroup"


async def test_the_table_finds_its_row_again() -> None:
    first, second, third = (Request(name=f"endpoint{n}", guid=f"g{n}", address=f"10.1.0.{n}") for n in (5, 6, 7))
    async with stage(lab(first, second, third)) as play:
        await play.press("down")
        table = play.app.screen.query_one(ConnectionsTable)
        assert table.cursor == second.connection_id
        play.cloud.become(lab(second, third))
        await play.press("r")
        await play.until(lambda: len(table.rows) == 2)
        assert table.cursor == second.connection_id
        play.cloud.become(lab(third))
        await play.press("r")
        await play.until(lambda: len(table.rows) == 1)
        assert table.cursor == third.connection_id
        assert "▸ ◷ Pending     endpoint7" in play.see().text


async def test_selecting_a_row_in_a_pane_selects_its_connection() -> None:
    one, two = Request(), Request(name="second", guid="g2", address="10.1.0.9")
    async with stage(lab(one, two)) as play:
        table = play.app.screen.query_one(ConnectionsTable)
        await play.press("tab", "tab")
        customer = tree(play, Side.CUSTOMER)
        assert customer.has_focus
        await play.press("down")
        assert customer.cursor_node
        assert customer.cursor_node.data
        assert customer.cursor_node.data.name == "second"
        await play.until(lambda: table.cursor == two.connection_id)
        isv = tree(play, Side.ISV)
        await play.until(
            lambda: isv.cursor_node and isv.cursor_node.data and isv.cursor_node.data.id == two.connection_id
        )


async def test_an_equal_snapshot_paints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stage(lab()) as play:
        await play.turn(2)
        painted: list[Widget] = []
        refresh = Widget.refresh

        def watched(self: Widget, *regions: object, **options: object) -> Widget:
            painted.append(self)
            return refresh(self, *regions, **options)  # type: ignore[arg-type]

        reads = play.cloud.reads
        monkeypatch.setattr(Widget, "refresh", watched)
        play.clock.turn(6)
        await play.until(lambda: play.cloud.reads >= reads + 2)
        await play.pilot.pause()
        names = {type(widget).__name__ for widget in painted}
        assert names <= {"TopBar"}, "only the time of day may be painted anew"


async def test_resizing_keeps_everything() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        await play.shows("1 Connections", "Service", "4 Activity")
        await play.pilot.resize_terminal(80, 24)
        seen = await play.shows("◷ Pending", "saasPrivateEndpoint", "q Quit")
        assert all(len(line) <= 80 for line in seen.lines)
        await play.pilot.resize_terminal(160, 48)
        await play.shows("networkSecurityGroup", "10.1.0.0/16", "Service")


async def test_zoom_gives_one_area_the_screen_and_back() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        await play.press("tab", "z")
        seen = await play.shows("networkSecurityGroup", "10.0.0.0/16", gone=("🟢 Customer  sub", "1 Connections"))
        assert "privatelink-pls-microhack-rg" in seen.text
        await play.press("z")
        await play.shows("🟢 Customer", "1 Connections")


@SIZES
async def test_zoom_gives_one_section_the_screen_and_back(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        await play.press("3", "z")
        await play.shows("Press p to fetch", gone=("🟢 Customer  sub", "10.0.1.4:80"))
        await play.until(lambda: play.app.screen.query_one("#probe").size.height > size[1] - 8)
        await play.press("2")
        await play.shows("10.0.1.4:80", gone=("Press p to fetch",))
        await play.press("z")
        await play.shows("🟢 Customer")


async def test_the_last_event_ends_with_an_ellipsis_where_it_is_cut() -> None:
    async with stage(lab(), size=(80, 24)) as play:
        play.cloud.faults[Side.CUSTOMER] = UnreachableError("Nobody answers, " * 10 + "and so on.")
        await play.press("r")
        seen = await play.shows("✖ stale", "🟢 Customer: Nobody answers")
        line = next(line for line in reversed(seen.lines) if "Nobody answers" in line)
        assert line.rstrip().endswith("…"), seen.text


async def test_ctrl_c_tells_of_the_key_that_quits() -> None:
    async with stage(lab()) as play:
        await play.press("ctrl+c")
        await play.shows("Press q to quit.", gone=("ctrl+q",))


@SIZES
async def test_tab_goes_round_all_areas_in_reading_order(size: tuple[int, int]) -> None:
    async with stage(lab(), size=size) as play:
        sections = ["connections", "backends", "probe", "activity"] if size == (160, 48) else ["connections"]
        visited = []
        for _ in range(len(sections) + 2):
            focused = play.app.focused
            assert focused
            visited.append(next(n.id for n in focused.ancestors_with_self if n.id and n.id != "deck"))
            await play.press("tab")
        assert visited == [*sections, "isv", "customer"]


@SIZES
async def test_an_unhealthy_backend_is_red_in_tree_and_table(size: tuple[int, int]) -> None:
    async with stage(lab(Request(status=APPROVED), down=("web2",)), size=size) as play:
        seen = await play.shows("2/3")
        assert "✖ running" in seen.line("web2", "no answer")
        assert play.is_red("✖ running", in_line_with="no answer")
        assert play.is_red("✖ 2/3", in_line_with="loadBalancer")
        assert not play.is_red("✔ running", in_line_with="web1")

        await play.press("2")
        await play.shows("TcpProbeTimeout")
        assert play.is_red("✖ Down", in_line_with="10.0.1.5:80")


async def test_a_machine_behind_two_rules_has_two_rows_to_stand_on() -> None:
    world = lab()
    assert world.isv
    [balancer] = world.isv.balancers
    [rule] = balancer.rules
    second = replace(rule, id=rule.id.child("x", "admin"), name="admin", frontend_port=8443, backend_port=9443)
    two = replace(world, isv=replace(world.isv, balancers=(replace(balancer, rules=(rule, second)),)))
    async with stage(two, size=(160, 48)) as play:
        await play.press("2")
        await play.shows("10.0.1.6:9443")
        for address in ("10.0.1.4:80", "10.0.1.4:9443", "10.0.1.5:80"):
            seen = play.see()
            assert address in seen.line("▸ web", "not probed"), seen.text
            await play.press("down")
        await play.press("enter")
        await play.shows("Microsoft.Compute/virtualMachines", "🔵 web2")


async def test_old_health_is_marked_and_the_pane_stays_live() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        await play.shows("✔ 3/3", "✔ Up")
        play.cloud.health_fault = AzureError("Azure has no time for [b]that[/].", status=503)
        await play.press("r")
        seen = await play.shows("health of the backends: Azure has no time for [b]that[/].", "◷ Up, stale")
        assert "◷ 3/3" in seen.line("loadBalancer", "health is stale")
        assert "✖ stale" not in seen.text

        play.cloud.health_fault = None
        await play.press("r")
        await play.shows("✔ 3/3", "✔ Up", gone=("health is stale",))


async def test_health_that_hangs_holds_up_no_connection() -> None:
    async with stage(lab(), size=(160, 48)) as play:
        play.cloud.health_told.clear()
        await play.press("r")
        play.cloud.become(with_status(APPROVED))
        await play.turn(6)
        await play.shows("✔ Approved", gone=("Pending",))


async def test_a_thousand_connections_stay_usable() -> None:
    async with stage(crowd(1000), size=(100, 30)) as play:
        table = play.app.screen.query_one(ConnectionsTable)
        await play.shows("334 pending", "endpoint-0000")
        await play.press("end")
        await play.shows("▸ ✔ Approved    endpoint-0998")
        await play.press("home")
        await play.shows("▸ ◷ Pending     endpoint-0000")
        drawn: list[int] = []
        line = table.render_line

        def counted(y: int) -> object:
            drawn.append(y)
            return line(y)

        table.render_line = counted  # type: ignore[method-assign, assignment]
        await play.press("down")
        await play.shows("▸ ◷ Pending     endpoint-0003")
        assert len(drawn) <= 3 * table.size.height, "a key press paints what is in view, not what there is"


def unreachable(cloud: Cloud) -> None:
    cloud.faults = {side: UnreachableError("No answer.") for side in Side}


async def test_the_cloud_may_be_slow_to_answer_first() -> None:
    async with stage(lab(), before=unreachable) as play:
        await play.shows("✖ cannot be read", "No answer.")
        play.cloud.faults.clear()
        await play.press("r")
        await play.shows("saasPrivateEndpoint", "● live", gone=("cannot be read",))
