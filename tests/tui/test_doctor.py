"""The doctor in the interface: what is wrong, what proves it, what mends it, on a real local Azure in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.sides import Side
from plstui.engine import doctor
from plstui.engine.runtime import Runtime
from plstui.sandbox.gateway.messages import Request, Response
from plstui.tui.app import PlstuiApp
from plstui.tui.doctor.view import DoctorView
from plstui.tui.doctor.words import Examination, mended_by
from plstui.tui.keys import every_key
from plstui.tui.lab.screen import LabScreen
from plstui.tui.lab.step_table import StepTable
from tests.domain.findings.test_machines import NO_YAML, make_again
from tests.domain.findings.ward import Ward, ward
from tests.support.lab import ENDPOINT_ID, customer_id
from tests.support.stage import Play

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 48)], ids=["80x24", "160x48"])
ODD = Response(418, {"error": {"code": "Teapot", "message": "I am\na [red]teapot\x1b[2J."}})


@asynccontextmanager
async def playing(runtime: Runtime, size: tuple[int, int]) -> AsyncIterator[Play]:
    """The panes, once they are filled."""

    async def connect() -> Runtime:
        return runtime

    app = PlstuiApp(connect, where="sandbox")
    async with app.run_test(size=size, notifications=True) as pilot:
        play = Play(app, pilot)
        await play.shows("● live", gone=("reading", "Reading"))
        yield play


@asynccontextmanager
async def panes(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    world: str,
    size: tuple[int, int] = (160, 48),
    *,
    sides: tuple[Side, ...] = tuple(Side),
) -> AsyncIterator[tuple[Ward, Play]]:
    """A world and the panes on it, for some of its sides."""
    async with ward(folder, monkeypatch, world) as made:
        runtime = made.runtime
        only = replace(
            runtime,
            watchers={side: runtime.watchers[side] for side in sides},
            bodies={side: runtime.bodies[side] for side in sides},
        )
        async with playing(only, size) as play:
            yield made, play


def said(play: Play) -> str:
    """What the doctor's section shows, as one line."""
    region = play.app.screen.query_one(DoctorView).content_region
    inside = slice(region.x, region.right)
    # Markers of the sides take two cells, which is where a line may be a character shorter than it is wide.
    lines = (line[inside].strip(" │") for line in play.see().lines[region.y : region.bottom])
    return " ".join(" ".join(lines).split())


@SIZES
async def test_the_machine_that_does_not_answer_is_named_with_its_proof_and_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with panes(tmp_path, monkeypatch, "approved", size) as (made, play):
        await made.isv.run_command(made.provider.machines[1], "systemctl stop nginx")
        await made.box.network.settled()
        await play.press("w")
        seen = await play.shows("! 1 warning, 1 hint", "looked at", "▸ ! warning", "port 80 of web2")
        assert "🔵 web2  health = Down" in seen.text, "who it is, and what proves it"
        assert "Look at its web server" in seen.text, "what to do"
        assert seen.text.index("! warning") < seen.text.index("· info"), "the worst first"

        await play.press("enter")
        await play.shows("Doctor: web2", "What to do", "Microsoft.Compute/virtualMachines", "az vm run-command invoke")
        await play.press("y")
        assert play.app.clipboard.startswith("az vm run-command invoke --ids /subscriptions/")
        await play.press("escape", "down")
        await play.shows("🔵 http  idleTimeoutInMinutes = ")
        await play.press("enter")
        await play.shows("Good to know", gone=("y copy az",))
        await play.press("y")
        await play.shows("There is no az command for this.")


@SIZES
async def test_what_a_approves_is_selected_and_once_approved_it_is_said_that_the_findings_are_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with panes(tmp_path, monkeypatch, "workshop", size) as (_, play):
        await play.press("1", "end")
        await play.press("w")
        seen = await play.shows("✖ 1 error", "The request of saasPrivateEndpoint has not been decided on.")
        assert "a approves it" in said(play)
        assert "Pending" in seen.line("🔵 saasPrivateEndpoint  privateLinkServiceConnectionState.status")
        await play.press("a")
        await play.shows("Approve this connection?", "Customer: Tradewinds")
        await play.press("enter")
        await play.shows("changed since: w looks again")

        await play.press("w")
        await play.shows("! 1 warning", gone=("changed since: w", "has not been decided on"))
        assert "No name leads to saasPrivateEndpoint" in said(play), "what is to be done next"
        assert "l opens step 15 of the lab, A name for it" in said(play)


async def test_from_a_finding_l_opens_the_step_of_the_lab_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panes(tmp_path, monkeypatch, "approved") as (made, play):
        # Two steps have come undone; the lab by itself would show the first of them.
        async with made.changing(made.provider.balancer) as balancer:
            balancer["properties"]["loadBalancingRules"] = []
        await made.delete(made.consumer.record)
        await play.press("w")
        await play.shows("✖ 1 error, 1 warning", "no load-balancing rule")
        assert "l opens step 6 of the lab, Load-balancing rule" in said(play)
        await play.press("down")
        await play.until(lambda: "l opens step 15 of the lab" in said(play))
        await play.press("l")
        await play.until(lambda: isinstance(play.app.screen, LabScreen))
        await play.shows("steps done")
        cursor = play.app.screen.query_one(StepTable).cursor
        assert cursor is not None
        assert cursor.text == "/steps/record"
        await play.press("escape")

        await play.press("4", "l")
        await play.until(lambda: isinstance(play.app.screen, LabScreen))
        await play.shows("steps done")
        cursor = play.app.screen.query_one(StepTable).cursor
        assert cursor is not None
        assert cursor.text == "/steps/rule", "only whoever looks at a finding is led elsewhere than to what comes next"


@SIZES
@pytest.mark.parametrize(("side", "marker"), [(Side.ISV, "🔵"), (Side.CUSTOMER, "🟢")], ids=str)
async def test_one_side_alone_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], side: Side, marker: str
) -> None:
    async with panes(tmp_path, monkeypatch, "pending", size, sides=(side,)) as (_, play):
        await play.press("w")
        await play.shows("✖ 1 error", "has not been decided on.", f"{marker} saasPrivateEndpoint  privateLink")


@SIZES
async def test_a_side_that_cannot_be_looked_at_is_said_and_nothing_is_called_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with panes(tmp_path, monkeypatch, "approved", size) as (made, play):
        refused = [made.box.customer.subscription.id]

        async def meddle(request: Request) -> Response | None:
            return ODD if any(f"/subscriptions/{subscription}/" in request.path for subscription in refused) else None

        made.meddle = meddle
        await play.press("w")
        seen = await play.shows("nothing is wrong in what could be read", "✖ 🟢 Customer could not be looked at: ")
        assert "a [red]teapot" in seen.line("could not be looked at"), "one harmless line, and no markup"
        assert "✔ nothing" not in seen.text

        refused.append(made.box.isv.subscription.id)
        await play.press("w")
        await play.until(lambda: said(play).startswith("✖ I am a [red]teapot"))
        assert "nothing is wrong" not in said(play)
        assert "looked at" not in said(play)

        made.meddle = None
        await play.press("w")
        await play.shows("✔ nothing is wrong", gone=("✖ I am",))


async def test_while_it_looks_it_says_so_and_what_it_has_found_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panes(tmp_path, monkeypatch, "pending") as (made, play):
        await play.press("5")
        await play.shows("Press w to find out why the page does not come")
        await play.press("w")
        await play.shows("✖ 1 error")

        answering = asyncio.Event()

        async def wait(request: Request) -> Response | None:
            if request.path.rstrip("/").endswith("/privateDnsZones"):
                await answering.wait()
            return None

        made.meddle = wait
        await play.press("w")
        await play.shows("◌ looking at everything on both sides…", "has not been decided on")
        await play.press("w")
        await play.shows("The doctor is looking at both sides already.")
        answering.set()
        await play.shows("✖ 1 error", "looked at", gone=("◌ looking",))


async def test_it_uses_what_the_last_probe_found_as_long_as_that_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panes(tmp_path, monkeypatch, "approved") as (made, play):
        await play.press("p")
        await play.shows("targets answer")
        await play.press("w")
        await play.shows("✔ nothing is wrong", "with the last probe")

        await made.decide("Rejected")
        await play.press("r")
        await play.shows("✖ Rejected", "changed since: w")
        await play.press("p")
        await play.shows("targets fail", gone=("probing",))
        await play.press("w")
        await play.shows("The ISV has rejected the request of saasPrivateEndpoint.", "with the last probe")

        await made.decide("Approved")
        await play.press("r")
        await play.shows("✔ Approved", "changed since: w")
        await play.press("w")
        await play.shows("✔ nothing is wrong", gone=("changed since: w",))


@SIZES
async def test_after_a_probe_it_looks_into_machines_that_seem_ill_and_says_into_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    async with panes(tmp_path, monkeypatch, "approved", size) as (made, play):
        # Health comes after the rest: what is looked at before that has changed since.
        await play.shows("✔ 3/3")
        await play.press("w")
        await play.shows("✔ nothing is wrong", "without a probe")
        await make_again(made, made.provider.machines[1], NO_YAML)
        await made.box.network.settled()
        await play.press("r", "w")
        await play.until(lambda: "did not look into web2: p, then w does that" in said(play))
        assert "Nothing answers on port 80 of web2." in said(play)

        await play.press("p")
        await play.shows("targets fail", gone=("probing",))
        answering = asyncio.Event()

        async def wait(request: Request) -> Response | None:
            if request.path.endswith("/runCommand"):
                await answering.wait()
            return None

        made.meddle = wait
        await play.press("w")
        await play.until(lambda: "◌ asking web2 how cloud-init went…" in said(play))
        assert "Nothing answers on port 80 of web2." in said(play), "what is known already stays in view"
        answering.set()
        await play.until(lambda: "cloud-init on web2 has failed." in said(play))
        assert "with the last probe, into web2" in said(play)


async def test_who_is_read_only_is_told_that_no_machine_was_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with panes(tmp_path, monkeypatch, "approved") as (made, play):
        await made.box.network.break_web("web2")
        await made.box.network.settled()
        made.runtime.gate.read_only = True
        await play.press("r", "p")
        await play.shows("targets fail", gone=("probing",))
        await play.press("w")
        await play.until(lambda: "did not look into web2: plstui is read-only" in said(play))


async def test_a_machine_that_does_not_answer_is_named_and_the_findings_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "BOOT_PATIENCE", 0.2)
    async with panes(tmp_path, monkeypatch, "approved") as (made, play):
        await made.box.network.hang_machine("web2")
        await made.box.network.settled()
        await play.press("r", "p")
        await play.shows("targets fail", gone=("probing",))
        await play.press("w")
        await play.until(lambda: "did not look into web2: no answer" in said(play))
        assert "Nothing answers on port 80 of web2." in said(play)


async def test_it_can_be_left_while_it_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with panes(tmp_path, monkeypatch, "pending", (80, 24)) as (made, play):
        never = asyncio.Event()

        async def wait(request: Request) -> Response | None:
            if request.path.rstrip("/").endswith("/privateDnsZones"):
                await never.wait()
            return None

        made.meddle = wait
        await play.press("w")
        await play.shows("◌ looking")
        await play.pilot.press("q")
        await play.until(lambda: not play.app.is_running)
        assert play.app.crash is None
        never.set()


def test_a_step_asks_again_for_the_labs_own_endpoint_alone() -> None:
    seen = Examination(steps={"endpoint": "step 12 of the lab"}, endpoint=ENDPOINT_ID)
    ours = Finding(
        rule="connection-disconnected",
        severity=Severity.ERROR,
        where=ENDPOINT_ID,
        what="The ISV has removed the connection.",
        remedy="Ask again.",
        fix="step:endpoint",
    )
    theirs = replace(ours, where=customer_id("Microsoft.Network/privateEndpoints", "another"))
    assert mended_by(seen, ours, every_key({})) == ("l", "opens step 12 of the lab")
    assert mended_by(seen, theirs, every_key({"lab": "L"})) == ("", "")
