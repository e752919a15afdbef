"""The lab screen: build the workshop by keys, watch it, take it down; and what is said when something is in the way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.dialogs.help import HelpScreen
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.keys import every_key
from plstui.tui.lab.commands import LAB_COMMANDS
from plstui.tui.lab.screen import LabScreen
from plstui.tui.panes.screen import MainScreen
from tests.support.clock import TurnedClock
from tests.support.labscreen import NARROW, WIDE, lab_screen, panes, writes
from tests.support.served import Served, serve
from tests.support.stage import Play

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "160x48"])
TITLES = ("Resource group", "Three machines in three zones", "Approve the request", "Open the page")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of a person who has just installed plstui."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "empty") as served:
        yield served


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Served]:
    """An empty sandbox that takes as long as Azure does."""
    with serve(tmp_path, "empty", "--latency", "azure") as served:
        yield served


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "pending") as served:
        yield served


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A pending world that no test here changes."""
    with serve(tmp_path_factory.mktemp("looked-at"), "pending") as served:
        yield served


async def asked(play: Play, *texts: str) -> None:
    """A question about the lab is on the screen, with these texts somewhere in it."""
    await play.until(lambda: isinstance(play.app.screen, QuestionScreen), f"a question with {texts}")
    await play.shows(*texts)


async def question_of(play: Play, *texts: str) -> str:
    """The same, and what stands on the screen with it."""
    await asked(play, *texts)
    return play.see().text


def looked(served: Served) -> int:
    """How often it was looked at what there is of the lab; the panes read lists."""
    counters: dict[str, int] = served.control("GET", "/counters")
    return counters.get("GET Microsoft.Network/privateLinkServices", 0)


def row(play: Play, title: str) -> str:
    """The line with a step's row; a frame may be called as the step is."""
    return next(line for line in play.see().lines if title in line and not line.startswith("╭"))


async def back(play: Play) -> None:
    await play.until(lambda: isinstance(play.app.screen, LabScreen), "the lab screen")


@SIZES
async def test_the_whole_lab_by_keys_while_the_panes_fill(empty: Served, size: tuple[int, int]) -> None:
    async with lab_screen(empty, size=size) as play:
        await play.shows("0 of 16 steps done", *TITLES)
        looks = [looked(empty)]
        await play.press("end", "u")
        await asked(play, "Build steps 1 to 16?", "resource group privatelink-pls-microhack-rg")
        assert [*looks, looked(empty)] == [1, 2], "once for the screen, and once before it is built"
        for side in ("isv", "customer"):
            assert empty.ready["subscriptions"][side] in play.see().text
        assert not writes(empty)
        await play.press("enter")
        await play.shows("◷ waiting", "a approves saasPrivateEndpoint", "Order no.: 314159", "13 of 16")
        assert "◷ waiting" in row(play, "Approve the request")
        assert "▸" in row(play, "Approve the request"), "the cursor follows what runs and waits"

        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        await play.shows("lab: a to approve", "web1", "web2", "web3", "◷ Pending")
        # Whoever approves, and wherever: the run notices.
        await play.press("a")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("enter")
        await play.shows("✔ Approved", gone=("lab:",))

        await play.press("l")
        await play.shows("16 of 16 steps done")
        assert "✔ done" in row(play, "Open the page")
        before = writes(empty)
        await play.press("u")
        await play.shows("Steps 1 to 16 are done already.")
        await play.press("n")
        await play.shows("Every step is done.")
        assert writes(empty) == before


async def test_step_by_step_each_is_agreed_to(empty: Served) -> None:
    async with lab_screen(empty) as play:
        await play.press("n")
        await asked(play, "Build step 1?", "resource group privatelink-pls-microhack-rg")
        await play.press("escape")
        await back(play)
        assert not writes(empty)

        await play.press("n")
        await asked(play, "Build step 1?")
        await play.press("enter")
        await play.shows("1 of 16 steps done")
        assert sum(writes(empty).values()) == 1

        await play.press("n")
        seen = await question_of(play, "Build step 2?", "NAT gateway natGateway", "cost money")
        assert "Size" not in seen, "no machine is built in this step"
        await play.press("enter")
        await play.shows("2 of 16 steps done", gone=("◌",))
        assert "▸" in row(play, "Three machines in three zones"), "the cursor is on the next step"
        await play.press("end")
        assert "▸" in row(play, "Open the page")
        await play.press("escape", "l")
        await play.until(lambda: "▸" in row(play, "Three machines in three zones"), "the next step again")
        await play.press("n")
        await asked(play, "Build step 3?", "machine web3", "cost money", "Standard_B2s", "azureuser with ssh-ed25519")
        await play.press("escape")
        await back(play)


async def test_the_approval_is_asked_for_as_everywhere(pending: Served) -> None:
    async with lab_screen(pending) as play:
        await play.shows("13 of 16", "a approves saasPrivateEndpoint")
        for key in ("a", "n"):
            await play.press(key)
            await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
            await play.shows("Approve this connection?", "az network private-link-service connection update")
            await play.press("escape")
            await back(play)
        await play.press("n")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("enter")
        await play.shows("✔ Approved", "14 of 16", gone=("a approves",))
        assert "✔ done" in row(play, "Approve the request")
        await play.press("n")
        await asked(play, "Build step 15?", "record saas-pls.tradewinds.internal")
        await play.press("enter")
        await play.shows("15 of 16")
        # The page is the last needed step; nothing is written for it.
        await play.press("n")
        seen = await play.shows("16 of 16", "What came of it")
        for target in ("web1", "web2", "web3", "saasPrivateEndpoint", "saas-pls.tradewinds.internal"):
            assert "✔ Host: web" in seen.line(f"  {target}  ", "✔ Host:")


async def test_stopping_says_what_azure_still_does_and_the_next_run_goes_on(slow: Served) -> None:
    async with lab_screen(slow) as play:
        await play.press("down", "u")
        await asked(play, "Build steps 1 to 2?")
        await play.press("enter")
        await play.shows("→ ASG applicationSecurityGroup", "◌ running", "◌ steps 1 to 2…")
        await play.press("x")
        await play.shows(
            "Stopped waiting.", "Azure is still at work on:", "ASG applicationSecurityGroup", gone=("◌ steps",)
        )
        await play.press("x")
        await play.shows("Nothing is being waited for.")
        await play.press("u")
        await asked(play, "Build steps")
        await play.press("enter")
        await play.shows("◌ running")


async def test_the_lab_comes_down_with_the_names_typed_that_need_it(pending: Served) -> None:
    async with lab_screen(pending) as play:
        await play.press("t")
        await asked(play, "Take the lab down?", "Delete the ISV's resource group", "web1-os", "Nothing of this can be")
        await play.press("enter")
        await back(play)
        assert not writes(pending), "Enter alone keeps everything"

        await play.press("t")
        await asked(play, "Take the lab down?")
        await play.press("y")
        # Nobody has tagged the groups of this world as plstui's own.
        await asked(play, "Delete privatelink-pls-microhack-rg?", "was not created by plstui")
        await play.press(*"virtualNetwork", "enter")
        await play.shows("Type privatelink-pls-microhack-rg to go on")
        await play.press("escape")
        await back(play)
        assert not writes(pending)

        await play.press("t")
        await asked(play, "Take the lab down?")
        await play.press("y")
        for group in ("privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg"):
            await asked(play, f"Delete {group}?")
            await play.pilot.press(*group)
            await play.press("enter")
        await play.shows("→ deletion of private endpoint", "✔ Delete the customer's resource group")
        seen = await play.shows(
            "0 of 16 steps done", "✔ Delete the ISV's resource group", "nothing in this subscription"
        )
        await play.until(lambda: "▸" in row(play, "Resource group"), "the cursor on the first step")
        assert "Take" not in seen.text
        await play.press("t")
        await play.shows("There is nothing to take down")


async def test_what_is_in_the_way_is_told_at_once_and_before_anything_is_sent(empty: Served) -> None:
    override = {"lab": {"customer_subnet_prefix": "10.9.0.0/24", "message": "x" * 141, "region": "nowhere"}}
    async with lab_screen(empty, override=override) as play:
        await play.shows("things are in the way, and nothing was sent.")
        await play.press("u")
        await asked(play, "Not yet: nothing was sent", "10.9.0.0/24", "140", "nowhere")
        await play.press("enter")
        await back(play)
        assert not writes(empty)


@pytest.mark.parametrize("key", ["u", "t"])
async def test_a_journal_that_cannot_be_written_is_told_before_anything_is_sent(
    looked_at: Served, home: Path, key: str
) -> None:
    (home / ".local").write_text("a file where a folder should be")
    async with lab_screen(looked_at) as play:
        await play.press("end", "up", key)
        await play.shows("✖ The journal", "cannot be written: Not a", "set XDG_STATE_HOME")
        assert isinstance(play.app.screen, LabScreen), "nothing is asked that cannot be done"
        assert not writes(looked_at)


async def test_what_has_gone_while_a_person_thought_is_built_too_once_that_was_seen(pending: Served) -> None:
    group = f"/subscriptions/{pending.ready['subscriptions']['customer']}/resourceGroups/privatelink-dns-microhack-rg"
    links = f"{group}/providers/Microsoft.Network/privateDnsZones/tradewinds.internal/virtualNetworkLinks"
    async with lab_screen(pending) as play:
        await play.press("end", "u")
        await asked(play, "Build steps 1 to 16?", "record saas-pls")
        pending.arm("customer", "DELETE", f"{links}/dnsLink", api_version="2020-06-01")
        await play.until(lambda: not pending.arm("customer", "GET", links, api_version="2020-06-01")["value"])
        await play.press("enter")
        await asked(play, "Build steps 1 to 16?", "link dnsLink")
        await play.press("enter")
        await play.shows("a approves saasPrivateEndpoint", "13 of 16")
        assert writes(pending)["PUT Microsoft.Network/privateDnsZones/virtualNetworkLinks"] == 1


async def test_what_has_to_be_chosen_only_now_is_chosen_and_asked_about(pending: Served) -> None:
    group = f"/subscriptions/{pending.ready['subscriptions']['isv']}/resourceGroups/privatelink-pls-microhack-rg"
    web1 = f"{group}/providers/Microsoft.Compute/virtualMachines/web1"
    async with lab_screen(pending) as play:
        await play.press("end", "u")
        assert "Size" not in await question_of(play, "Build steps 1 to 16?", "record saas-pls")
        pending.arm("isv", "DELETE", web1, api_version="2024-07-01")
        machines = web1.rpartition("/")[0]
        await play.until(lambda: len(pending.arm("isv", "GET", machines, api_version="2024-07-01")["value"]) == 2)
        await play.press("enter")
        await asked(play, "Build steps 1 to 16?", "machine web1", "Standard_B2s")
        await play.press("enter")
        await play.shows("a approves saasPrivateEndpoint", "13 of 16")
        assert writes(pending)["PUT Microsoft.Compute/virtualMachines"] == 1


async def test_a_key_for_the_machines_can_be_made(empty: Served, home: Path) -> None:
    async with lab_screen(empty, override={"lab": {"public_key": ""}}) as play:
        await play.press("n")
        await asked(play, "Make a key for the machines?", "There is no public key")
        await play.press("escape")
        await back(play)
        assert not (home / ".ssh").exists()
        await play.press("n")
        await asked(play, "Make a key for the machines?")
        await play.press("enter")
        await asked(play, "Build step 1?")
        assert (home / ".ssh" / "id_ed25519.pub").read_text().startswith("ssh-ed25519 ")
        assert not writes(empty)
        await play.press("escape")
        await back(play)


async def test_a_step_that_fails_says_why_and_can_be_done_again(empty: Served) -> None:
    async with lab_screen(empty) as play:
        await play.press("n")
        await asked(play, "Build step 1?")
        fault = {"kind": "throttle", "method": "PUT", "times": 1, "retry_after": 3600}
        empty.control("POST", "/faults", {"faults": [fault]})
        await play.press("enter")
        seen = await play.shows("✖ Resource group: ", "✖ failed", "Step 1, Resource group:", "wait 3600 s")
        assert "wait 3600 s; press" in seen.text
        assert "same command" not in seen.text
        assert "Traceback" not in seen.text
        assert play.is_red("✖ Resource group")
        await play.press("u")
        await asked(play, "Build step 1?")
        await play.press("enter")
        await play.shows("1 of 16 steps done", gone=("✖ failed", "✖ Step 1"))
        assert not play.is_red("✖ Resource group"), "what failed once is no alarm when it is done"


@SIZES
async def test_an_opened_step_says_why_where_what_and_how(looked_at: Served, size: tuple[int, int]) -> None:
    async with lab_screen(looked_at, size=size) as play:
        await play.press("home", "down", "down")
        await play.press("enter")
        seen = await play.shows(
            "One machine in each zone keeps the service up",
            "Portal  Virtual machines › Create",
            "What came of it",
            "✔ SSH key",
        )
        assert "▸" in row(play, "Three machines in three zones")
        assert "Log" not in seen.text
        if size == WIDE:
            for number in (1, 2, 3):
                assert f"zone {number}" in seen.line(f"web{number} ", "10.0.1.", "zone")
            assert "az vm create --name web1 --nics web1-nic --zone 1" in seen.text
            assert "--size Standard_B2s" in seen.text, "as the machine has it, for none is to be made"
        await play.press("y")
        await play.shows("az commands are in the clipboard")
        commands = play.app.clipboard.splitlines()
        assert [line.split()[:3] for line in commands].count(["az", "vm", "create"]) == 3
        assert all(line.startswith("az ") for line in commands)
        await play.press("escape")
        await play.shows("16  Open the page" if size == NARROW else "Log")
        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))


async def test_the_clock_may_tick_while_the_lab_is_being_left(looked_at: Served) -> None:
    clock = TurnedClock()

    async def tick() -> None:
        while True:
            clock.turn(1.0)
            await asyncio.sleep(0)

    async with lab_screen(looked_at, clock=clock):
        # Textual takes the widgets away before it ends the screen's workers: the clock must find something in between.
        ticking = asyncio.create_task(tick())
    ticking.cancel()


async def test_both_panes_stand_under_the_steps_where_there_is_room(looked_at: Served) -> None:
    async with lab_screen(looked_at) as play:
        seen = await play.shows("● live", "saasPrivateEndpoint")
        assert "🔵 ISV" in seen.text
        assert "◷ Pending" in seen.line("saasPrivateEndpoint", "◷ Pending")
        await play.press("tab", "enter")
        await play.shows("Microsoft.Resources/resourceGroups", "Esc close")


async def test_help_and_palette_are_of_the_lab_here(looked_at: Served) -> None:
    async with lab_screen(looked_at) as play:
        await play.press("question_mark")
        await play.until(lambda: isinstance(play.app.screen, HelpScreen))
        text = "\n".join([play.see().text, (await play.press("pagedown")).text])
        for entry in LAB_COMMANDS:
            assert entry.help.format_map(every_key({}))[:40] in text, entry.id
        assert "Not now: Nothing is being waited for." in text
        await play.press("escape")
        await back(play)
        await play.press(":")
        await play.shows("Until here  (u)", gone=("Reject",))
        await play.pilot.press(*"open step")
        await play.shows("Give the selected step more room", gone=("Until here  (u)",))
        await play.press("enter")
        await play.until(lambda: isinstance(play.app.screen, LabScreen) and play.app.screen.has_class("-opened"))


async def test_a_greyed_key_says_why(looked_at: Served) -> None:
    async with lab_screen(looked_at) as play:
        reasons = {"x": "Nothing is being waited for.", "home": "", "u": "Step 1 is done already."}
        for key, reason in reasons.items():
            await play.press(key)
            await play.shows(reason)
        seen = play.see()
        off = seen.style("x Stop")
        assert off.dim or off.color != seen.style("Next", in_line_with="Esc Back").color


async def test_read_only_says_so_and_sends_nothing(looked_at: Served) -> None:
    async with lab_screen(looked_at, override={"ui": {"read_only": True}}) as play:
        await play.shows("read-only")
        for key in ("n", "u", "a", "t"):
            await play.press(key)
            assert isinstance(play.app.screen, LabScreen)
        await play.shows("plstui was started read-only")
        assert not writes(looked_at)


async def test_one_side_alone_says_whose_steps_it_cannot_do(looked_at: Served) -> None:
    async with panes(looked_at, override={"isv": {"subscription": ""}}) as play:
        await play.press("l")
        await play.shows("⊘ blocked", "subscription is not set")
        assert "⊘ blocked" in row(play, "Private link service")
        await play.press("a")
        await play.shows("Only the ISV can do this")


async def test_the_cursor_stays_in_view_where_not_all_steps_fit(looked_at: Served) -> None:
    async with lab_screen(looked_at, size=(60, 18)) as play:
        await play.press("end")
        await play.until(lambda: "▸" in row(play, "Open the page"), "the last step under the cursor")
