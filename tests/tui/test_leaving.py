"""How the program ends: by a person, or by itself when there is nothing it could show."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace

import pytest

from plstui.domain.change import Ready, RunScript
from plstui.domain.connection import APPROVED
from plstui.domain.errors import ConfigError, CredentialsError, PlstuiError, SignInPendingError, UnreachableError
from plstui.domain.sides import Side
from plstui.engine.runtime import Runtime
from plstui.tui.app import PlstuiApp
from plstui.tui.dialogs.confirm import ConfirmScreen
from plstui.tui.panes.screen import MainScreen
from tests.support.cloud import Cloud
from tests.support.lab import isv_id, lab, with_status
from tests.support.stage import look, stage

MACHINE = "Microsoft.Compute/virtualMachines"


def raising(error: PlstuiError) -> object:
    def connect(runtime: Runtime) -> Runtime:
        raise error

    return connect


@pytest.mark.parametrize(
    "error",
    [ConfigError("No subscription is set.", hint="Name one."), UnreachableError("The sandbox did not start.")],
    ids=["settings", "sandbox"],
)
async def test_when_connecting_fails_the_app_ends_and_says_why(error: PlstuiError) -> None:
    async with stage(lab(), connect=raising(error), filled=False) as play:  # type: ignore[arg-type]
        await play.until(lambda: play.app.return_code is not None)
        assert play.app.failure is error
        assert play.app.return_code == 1


@pytest.mark.parametrize("code", ["", "invalid_client"], ids=["plstui's code", "Azure's code"])
async def test_when_nobody_is_signed_in_the_app_ends(code: str) -> None:
    def signed_out(cloud: Cloud) -> None:
        fault = CredentialsError("Nobody is signed in.", hint="Run az login.", code=code)
        cloud.faults = dict.fromkeys(Side, fault)

    async with stage(lab(), before=signed_out, filled=False) as play:
        await play.until(lambda: play.app.return_code is not None)
        assert isinstance(play.app.failure, CredentialsError)
        assert "az login" in str(play.app.failure)


async def test_somebody_who_is_asked_to_sign_in_has_the_time_for_it() -> None:
    def asked(cloud: Cloud) -> None:
        cloud.faults = dict.fromkeys(Side, SignInPendingError("Open example.org and enter the code ABCD-1234."))

    async with stage(lab(), before=asked, filled=False) as play:
        seen = await play.shows("Open example.org and enter the code ABCD-1234.")
        assert play.app.return_code is None, seen.text
        play.cloud.faults.clear()
        await play.turn(6)
        await play.shows("web1", "saasPrivateEndpoint", "● live", gone=("ABCD-1234",))


async def test_one_side_without_a_sign_in_leaves_the_other_to_look_at() -> None:
    def half_signed_out(cloud: Cloud) -> None:
        cloud.faults[Side.CUSTOMER] = CredentialsError("Nobody is signed in.", hint="Run az login.")

    async with stage(lab(), before=half_signed_out) as play:
        await play.shows("Nobody is signed in. Run az login.", "web1", "✖ cannot be read")
        assert play.app.return_code is None


async def test_a_sign_in_that_expires_leaves_what_was_read() -> None:
    async with stage(lab()) as play:
        play.cloud.faults = {side: CredentialsError("The sign-in has expired.") for side in Side}
        await play.press("r")
        await play.shows("The sign-in has expired.", "✖ stale", "web1")
        assert play.app.return_code is None


async def test_q_leaves() -> None:
    async with stage(lab()) as play:
        await play.pilot.press("q")
        await play.until(lambda: play.app.return_code == 0)
        assert play.app.failure is None


async def test_q_leaves_when_asked_again_even_when_a_probe_and_closing_hang() -> None:
    closing = asyncio.Event()

    async def hang() -> None:
        closing.set()
        await asyncio.Event().wait()

    async with stage(with_status(APPROVED), connect=lambda runtime: replace(runtime, close=hang)) as play:
        play.prober.hold("web1", "web2", "web3", "saasPrivateEndpoint")
        await play.press("p")
        await play.shows("probing, 1 of 5")
        await play.press("q")
        await play.shows("Leave while this runs?", "Probe", "1 of 5 targets have answered")
        await play.pilot.press("q")
        await play.until(lambda: play.app.return_code == 0)
    # That this line is reached tells that nobody waited: closing never ends.
    assert closing.is_set()


@pytest.mark.parametrize("key", ["enter", "y", "q"])
async def test_q_says_which_write_runs_and_leaves_only_when_told_again(key: str) -> None:
    async with stage(lab()) as play:
        play.cloud.answering.clear()
        await play.press("a")
        await play.until(lambda: isinstance(play.app.screen, ConfirmScreen))
        await play.press("enter")
        await play.shows("◌ approving")
        await play.press("q")
        await play.shows("Leave while this runs?", "Write", "approve saasPrivateEndpoint", "Stay (Esc)")
        await play.press("escape")
        await play.until(lambda: isinstance(play.app.screen, MainScreen))
        assert play.app.return_code is None
        await play.press("ctrl+q")
        await play.shows("Leave while this runs?")
        await play.pilot.press(key)
        await play.until(lambda: play.app.return_code == 0)


async def test_q_leaves_at_once_when_what_ran_is_over() -> None:
    async with stage(with_status(APPROVED)) as play:
        play.prober.hold("web1")
        await play.press("p")
        await play.shows("probing, 4 of 5")
        play.prober.release("web1")
        await play.shows("probed 5 targets")
        await play.pilot.press("q")
        await play.until(lambda: play.app.return_code == 0)


@pytest.mark.parametrize("words", ["in web2", "in web2; left now, it may stay there"])
async def test_q_says_in_which_machine_a_script_runs(words: str) -> None:
    runtimes: list[Runtime] = []

    def keep(runtime: Runtime) -> Runtime:
        runtimes.append(runtime)
        return runtime

    async with stage(lab(), connect=keep) as play:
        [runtime] = runtimes
        machine = isv_id(MACHINE, "web2")
        place = machine.child("runCommands", "plstui-1234") if "stay" in words else machine
        play.cloud.answering.clear()
        script = Ready(side=Side.ISV, target=place, verb="probe", az="az vm run-command", sends=RunScript("true"))
        sent = asyncio.create_task(runtime.gate.send(script))
        await play.until(lambda: runtime.gate.under_way)
        await play.press("q")
        await play.shows("Leave while this runs?", "Script", words)
        await play.press("escape")
        play.cloud.answering.set()
        await sent
        await play.pilot.press("q")
        await play.until(lambda: play.app.return_code == 0)


@pytest.mark.parametrize("command", ["probe", "doctor", "approve"])
async def test_what_was_asked_for_in_the_last_moment_is_not_begun(command: str) -> None:
    async with stage(lab()) as play:
        main = play.app.screen
        assert isinstance(main, MainScreen)
        main.run_command(command)
        # What is created and never awaited would be warned about, here as on a terminal.
        play.app.exit()
        gc.collect()


async def test_leaving_gives_everything_back() -> None:
    closed = asyncio.Event()

    async def close() -> None:
        closed.set()

    async with stage(lab(), connect=lambda runtime: replace(runtime, close=close)) as play:
        await play.pilot.press("q")
    assert closed.is_set()


async def test_the_panes_are_there_before_anything_is_connected() -> None:
    never = asyncio.Event()

    async def connect() -> Runtime:
        await never.wait()
        raise AssertionError("nobody connects in this test")

    app = PlstuiApp(connect, where="sandbox pending")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause()
        for _ in range(2):
            text = look(app).text
            assert "🔵 ISV" in text
            assert "🟢 Customer" in text
            assert text.count("Connecting…") == 2
            assert "q Quit" in text
            while not isinstance(app.screen, MainScreen):
                await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert "Still connecting;" in look(app).text
        await pilot.press("q")
    assert app.return_code == 0
