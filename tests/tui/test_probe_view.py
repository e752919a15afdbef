"""The probe view: who answers through the link, who does not, and why."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from types import MethodType

import pytest

from plstui.domain.connection import APPROVED
from plstui.domain.errors import UnreachableError
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.targets import addresses, targets
from plstui.domain.world import World
from plstui.tui.clock import NO_TIME
from plstui.tui.probe.view import ProbeView
from plstui.tui.state import ProbeRun
from tests.support.cloud import Prober
from tests.support.lab import Request, empty, lab, with_status
from tests.support.stage import stage

SIZES = pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)], ids=["80x24", "100x30", "160x48"])


@SIZES
async def test_pages_of_every_backend_and_the_distribution_through_the_endpoint(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        await play.press("p")
        seen = await play.shows("✔ all 5 targets answer", "Host: web1", "Host: web2", "Host: web3")
        assert "12/12 pages" in seen.line("saasPrivateEndpoint", "10.1.0.5:80")
        shares = [line for line in seen.lines if "━" in line and "Host: web" in line]
        assert len(shares) == 3, "a bar for every backend that answered through the endpoint"
        assert sum(int(share.split("%")[0].split()[-2]) for share in shares) == 12
        assert [share.count("━") for share in shares] == [shares[0].count("━")] * 3, "bars share one scale"
        for number, name in enumerate(("web1", "web2", "web3")):
            assert f"Host: {name}" in seen.line(f"10.0.1.{number + 4}:80", "12/12")
        await play.press("3", "z")
        assert "3 hosts" in (await play.shows("loadBalancer")).line("🔵 10.0.1.7:80", "12/12")


@SIZES
async def test_probed_again_it_shows_how_the_runs_before_went(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        await play.press("p")
        seen = await play.shows("✔ all 5 targets answer")
        assert re.search(r"10\.0\.1\.5:80  Host: web2", seen.text), "one run has no history"

        play.cloud.become(lab(Request(status=APPROVED), down=("web2",)))
        await play.press("p")
        await play.shows("✖ 1 of 5 targets fail")
        play.cloud.become(with_status(APPROVED))
        play.prober.hold("web3")
        await play.press("p")
        seen = await play.shows("4 of 5 targets done")
        assert re.search(r"10\.0\.1\.4:80  [▁-█]{3}  Host: web1", seen.text)
        assert re.search(r"10\.0\.1\.5:80  [▁-█]✖[▁-█]  Host: web2", seen.text)
        assert re.search(r"10\.0\.1\.6:80  [▁-█]{2}·  asking", seen.text)
        assert play.is_red("✖", in_line_with="Host: web2")
        play.prober.release("web3")
        await play.shows("✔ all 5 targets answer")


async def test_a_run_is_as_high_as_it_was_slow_and_the_oldest_make_way() -> None:
    world = with_status(APPROVED)
    target = targets(world)[0]
    run = ProbeRun()
    for milliseconds in (80, 10, 20, 30, 40, 50, 60, 70, 80):
        page = Attempt(host="web1", connect_ms=milliseconds / 2, first_byte_ms=milliseconds / 2)
        run = run.again((target,), NO_TIME, world).answered(TargetResult(target, "ssh", (page,)))
    half = TargetResult(target, "ssh", (page, Attempt(failure=Failure.TIMEOUT)))
    run = run.again((target,), NO_TIME, world).answered(half)
    async with stage(world, size=(80, 24)) as play:
        play.app.screen.query_one(ProbeView).probe = run
        await play.press("3")
        await play.shows(" ▃▄▅▆▇██! ")


async def test_results_appear_as_they_come() -> None:
    async with stage(with_status(APPROVED)) as play:
        play.prober.hold("web2", "saasPrivateEndpoint")
        await play.press("p")
        seen = await play.shows("probing, 3 of 5 targets done", "Host: web1", "Host: web3")
        assert "asking…" in seen.line("web2", "10.0.1.5:80")
        assert "Host: web2" not in seen.text

        await play.press("p")
        await play.shows("A probe is running already.")

        play.prober.release("web2")
        await play.shows("4 of 5 targets done", "Host: web2")
        play.prober.release("saasPrivateEndpoint")
        await play.shows("✔ all 5 targets answer")


@SIZES
async def test_a_failing_target_is_red_with_words(size: tuple[int, int]) -> None:
    async with stage(lab(Request(status=APPROVED), down=("web2",)), size=size) as play:
        await play.press("p")
        seen = await play.shows("✖ 1 of 5 targets fail", "refused", "web2 refused the connection on port 80.")
        assert play.is_red("✖", in_line_with="10.0.1.5:80  0/12")
        assert play.is_red("refused", in_line_with="100 %")
        assert not play.is_red("✔", in_line_with="10.0.1.4:80  Host")
        shares = [line for line in seen.lines if "━" in line and "Host: web" in line]
        assert len(shares) == 2, "the balancer sends nothing to the sick one"

        await play.press("2")
        await play.shows("✖ refused ×12")
        assert play.is_red("✖ refused ×12")


@SIZES
async def test_a_long_error_is_told_to_its_end(size: tuple[int, int]) -> None:
    sentence = f"The host key is unknown. {'SHA256:' + 'k' * 43} Check it, then: ssh-keyscan -p 22 web >> known_hosts"
    failed = Attempt(failure=Failure.TIMEOUT, error=f"{sentence}; {sentence} end.")
    async with stage(with_status(APPROVED), size=size) as play:
        await play.press("3", "z")
        target = targets(play.cloud.world)[0]
        play.app.screen.query_one(ProbeView).probe = ProbeRun((target,), (TargetResult(target, "ssh", (failed,)),))
        await play.shows("k" * 43, " end.", gone=("…",))


async def test_a_pending_link_lets_nothing_through() -> None:
    async with stage(lab()) as play:
        await play.press("p")
        await play.shows("✖ 1 of 5 targets fail", "timeout", "No answer from 10.1.0.5 within 5 s.")


@SIZES
async def test_a_balancer_that_tells_nothing_is_neither_well_nor_failing(size: tuple[int, int]) -> None:
    async with stage(with_status(APPROVED), size=size) as play:
        play.prober.untold = "Azure drops what a member of a pool sends to itself."
        await play.press("p")
        await play.shows("✔ 4 of 5 targets answer, of the others nothing is known")
        await play.press("3", "z")
        seen = await play.shows("Azure drops what a member of a pool sends to itself.")
        assert "· loadBalancer" in seen.line("🔵 10.0.1.7:80", "0/12")
        assert not play.is_red("·", in_line_with="🔵 10.0.1.7:80")
        await play.press("z", "4")
        await play.shows("probed 5 targets, 4 well")
        assert not play.is_red("probed", in_line_with="4 well")


@SIZES
async def test_why_a_balancer_brought_fewer_pages_than_were_asked_for_is_told(size: tuple[int, int]) -> None:
    world, why = with_status(APPROVED), "Balanced back to the machine that asked."
    target = next(target for target in addresses(world) if target.kind is TargetKind.BALANCER)
    run = ProbeRun((target,), (TargetResult(target, "ssh", (Attempt(host="web2"), Attempt(error=why))),))
    async with stage(world, size=size) as play:
        play.app.screen.query_one(ProbeView).probe = run
        await play.press("3", "z")
        seen = await play.shows("✔ all 1 targets answer", why)
        assert "1/2" in seen.line("✔ loadBalancer", "Host: web2")
        assert not play.is_red("Balanced back")


async def test_nothing_to_probe_is_said() -> None:
    async with stage(empty()) as play:
        await play.press("p")
        await play.shows("There is nothing to probe yet:")


async def test_one_side_alone_can_be_probed() -> None:
    async with stage(World(lab().isv, None)) as play:
        await play.press("p")
        await play.shows("✔ all 4 targets answer")


async def test_before_a_probe_the_view_says_how_to_start_one() -> None:
    async with stage(lab()) as play:
        await play.press("3")
        await play.shows("Press p to fetch the Host: page")


async def test_a_probe_that_cannot_be_made_is_no_target_that_fails() -> None:
    async def away(self: Prober, targets: Sequence[Target], count: int) -> AsyncIterator[TargetResult]:
        if targets:
            raise UnreachableError("127.0.0.1:38995 does not answer.")
        yield TargetResult(targets[0], "", ())

    async with stage(with_status(APPROVED)) as play:
        play.prober.probe = MethodType(away, play.prober)  # type: ignore[method-assign]
        await play.press("p")
        seen = await play.shows("✖ 0 of 5 targets asked", "127.0.0.1:38995 does not answer.", gone=("targets fail",))
        assert "not asked" in seen.line("web1", "10.0.1.4:80")


async def test_answers_from_before_a_decision_are_called_old() -> None:
    async with stage(lab()) as play:
        await play.press("p")
        await play.shows("✖ 1 of 5 targets fail", gone=("changed since",))
        play.cloud.become(with_status(APPROVED))
        await play.press("r")
        await play.shows("✖ 1 of 5 targets fail", "changed since: p asks again")
