"""Which way is taken: in the order of the settings, and the one that was used is told."""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Sequence
from dataclasses import replace

import pytest

from plstui.config.settings import Probe, RouteName
from plstui.domain.probe import Attempt, Failure, Target, TargetKind
from plstui.domain.sides import Side
from plstui.probe.route import Ladder, Report, RouteError, balanced_back
from plstui.probe.runner import Runner
from tests.probe.probing import SHORT, probe, probing
from tests.probe.servers import answering, odd_servers, page, serving, target, unanswered
from tests.probe.sshd import Sshd, free_port


async def test_from_this_computer() -> None:
    async with answering(page("web1")) as one, answering(page("web2")) as two, probing(routes=("direct",)) as prober:
        first, second = await probe(prober, target(one), target(two, address="localhost"), count=12)
    assert (first.hosts, first.route, first.ok) == ({"web1": 12}, "this computer", True)
    assert (second.hosts, second.resolved) == ({"web2": 12}, ("127.0.0.1",))
    assert first.connect_ms is not None
    assert first.first_byte_ms is not None


async def test_failures_from_this_computer_are_told_apart() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    with unanswered() as silent:
        async with (
            answering(page("web1")) as good,
            serving(hang_up) as closing,
            probing(routes=("direct",), connect_timeout=SHORT) as prober,
        ):
            _, refused, unknown, timeout, reset = await probe(
                prober,
                target(good, "good"),
                target(free_port(), "refused"),
                target(80, "unknown", address="nowhere.invalid"),
                target(silent, "timeout"),
                target(closing, "reset"),
                count=3,
            )
    assert refused.failures == {Failure.REFUSED: 3}
    assert refused.error == "This computer could not connect: Connection refused."
    assert unknown.failures == {Failure.NOT_FOUND: 3}
    assert timeout.failures == {Failure.TIMEOUT: 3}
    assert reset.failures == {Failure.RESET: 3}


async def test_where_this_computer_reaches_nothing_the_jump_machine_is_used(sshd: Sshd) -> None:
    routes: tuple[RouteName, ...] = ("direct", "ssh")
    with unanswered() as silent:
        async with answering(page("web1")) as port, probing(sshd.ssh, routes=routes, connect_timeout=SHORT) as prober:
            [result] = await probe(prober, target(silent), count=2)
            assert (result.route, result.failures) == (f"ssh {sshd.jump}", {Failure.TIMEOUT: 2})
            # One that can be reached is enough: the others are told of as they are.
            good, bad = await probe(prober, target(port), target(silent, "silent"), count=2)
    assert (good.route, good.ok, bad.route, bad.failures) == ("this computer", True, "this computer", {"timeout": 2})


async def test_where_something_else_has_the_targets_addresses_the_jump_machine_is_used(sshd: Sshd) -> None:
    routes: tuple[RouteName, ...] = ("direct", "ssh")
    async with answering(b"SSH-2.0-OpenSSH_9.2\r\n") as other, probing(sshd.ssh, routes=routes) as prober:
        refused, wrong = await probe(prober, target(free_port()), target(other, "other"))
    assert (refused.route, refused.failures) == (f"ssh {sshd.jump}", {Failure.REFUSED: 1})
    assert (wrong.route, wrong.failures) == (f"ssh {sshd.jump}", {Failure.WRONG_PAGE: 1})


async def test_too_many_open_files_are_a_failure_and_not_the_end() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with answering(page("web1")) as port, probing(routes=("direct",)) as prober:
        await probe(prober, target(port))
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
        try:
            [result] = await probe(prober, target(port))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert result.failures == {Failure.JUMP: 1}
    assert result.error.endswith("This computer could not connect: Too many open files.")


async def test_nothing_is_sent_from_this_computer_unless_that_is_asked_for(sshd: Sshd) -> None:
    sshd.stop()
    async with answering(page("web1")) as port, probing(sshd.ssh, routes=Probe().routes) as prober:
        [result] = await probe(prober, target(port))
    assert result.failures == {Failure.JUMP: 1}


async def test_where_no_way_can_be_used_each_says_why() -> None:
    with unanswered() as silent:
        async with probing(routes=("direct", "ssh"), connect_timeout=SHORT) as prober:
            [result] = await probe(prober, target(silent), count=2)
    assert (result.route, result.failures) == ("", {Failure.JUMP: 2})
    assert result.error == (
        f"From this computer no target serves its page: No connection to 127.0.0.1:{silent} within 0.5 s. "
        "No machine to probe from is set for the ISV side: set jump in [isv.ssh] of the settings, like user@host."
    )


async def test_a_machine_that_may_be_another_is_not_passed_over(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    async with answering(page("web1")) as port, probing(sshd.ssh, routes=("ssh", "direct")) as prober:
        [result] = await probe(prober, target(port))
    assert result.failures == {Failure.JUMP: 1}
    assert "is not known" in result.error


ODD = {
    "chunked": (None, "web1"),
    "old": (None, "web1"),
    "other": (Failure.WRONG_PAGE, 'Another page: “Welcome"; [2J to; nginx!”.'),
    "two": (Failure.WRONG_PAGE, "Another page: “Host: web1 Host: web2”."),
    "empty": (Failure.WRONG_PAGE, "An empty page."),
    "binary": (Failure.WRONG_PAGE, "A binary body (no content type) instead of the page."),
    "gzip": (Failure.WRONG_PAGE, "A body in gzip encoding, which was not asked for and is not decoded."),
    "redirect": (Failure.WRONG_PAGE, "A redirect to http://127.0.0.1:1/ (HTTP 302 Found), which is not followed."),
    "gone": (Failure.WRONG_PAGE, "HTTP 404 Not Found instead of the page."),
    "control": (Failure.WRONG_PAGE, "Another page: “Host: [31mweb1”."),
    "cut": (Failure.RESET, "The connection was closed in the middle of the answer, after 48 bytes."),
    "long": (Failure.WRONG_PAGE, "A body of 10485760 bytes instead of the page."),
    "flood": (Failure.WRONG_PAGE, "An answer longer than 64 KiB, which was not read to its end."),
    "ssh": (Failure.WRONG_PAGE, "Something that is not HTTP: “SSH-2.0-OpenSSH_9.2”."),
    "hang": (Failure.TIMEOUT, "No answer came within 0.5 s."),
    "hang up": (Failure.RESET, "The connection was closed before an answer came."),
}


@pytest.mark.parametrize("routes", [("direct",), ("ssh",)])
async def test_odd_answers_are_bounded_harmless_and_said_in_words(sshd: Sshd, routes: tuple[RouteName, ...]) -> None:
    async with odd_servers() as ports, probing(sshd.ssh, routes=routes, read_timeout=SHORT) as prober:
        results = await probe(prober, *(target(port, name) for name, port in ports.items()))
    for result in results:
        [attempt] = result.attempts
        assert (attempt.failure, attempt.host or attempt.error) == ODD[result.target.name]


class Narrow:
    """A way that makes at most two attempts."""

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        for each in targets:
            for _ in range(min(count, 2)):
                report(each, Attempt(host="web1"), "narrow")

    async def close(self) -> None:
        return None


class Shut:
    """A way that cannot be used."""

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        raise RouteError("It is shut.")

    async def close(self) -> None:
        return None


async def test_a_way_may_make_fewer_attempts_than_were_asked_for() -> None:
    prober = Runner(dict.fromkeys(Side, Ladder([Shut(), Narrow()])))
    [result] = await probe(prober, target(80), count=12)
    assert (len(result.attempts), result.hosts, result.route) == (2, {"web1": 2}, "narrow")


async def test_what_is_known_otherwise_is_said_where_no_way_can_be_used() -> None:
    async def opinion(target: Target) -> str:
        return f"{target.name} is up."

    prober = Runner(dict.fromkeys(Side, Ladder([Shut()], opinion)))
    [result] = await probe(prober, target(80))
    assert result.error == "It is shut. web1 is up."


BALANCER = Target(
    "loadBalancer", TargetKind.BALANCER, Side.ISV, "10.0.1.100", 80, behind=frozenset({"web1", "10.0.1.4"})
)
LOST = Attempt(failure=Failure.TIMEOUT, error="No connection.")


@pytest.mark.parametrize("machine", ["web1", "10.0.1.4"])
def test_what_a_balancer_gives_back_to_the_machine_that_asked_is_no_failure(machine: str) -> None:
    attempt = balanced_back(LOST, BALANCER, frozenset({"jump", machine}))
    assert attempt.failure is None
    assert "tells nothing" in attempt.error


@pytest.mark.parametrize(
    ("attempt", "target", "machine"),
    [
        (LOST, BALANCER, "testvm"),
        (LOST, replace(BALANCER, kind=TargetKind.BACKEND), "web1"),
        (Attempt(failure=Failure.REFUSED), BALANCER, "web1"),
        (Attempt(failure=Failure.TIMEOUT, connect_ms=1.0), BALANCER, "web1"),
        (Attempt(host="web2"), BALANCER, "web1"),
    ],
)
def test_everything_else_is_told_as_it_is(attempt: Attempt, target: Target, machine: str) -> None:
    assert balanced_back(attempt, target, frozenset({machine})) is attempt
