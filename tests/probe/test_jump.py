"""Through a real sshd: what comes back from targets, and what is left when a probe is over."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.domain.probe import Failure, TargetKind
from plstui.domain.sides import Side
from plstui.probe.spread import AT_ONCE_PER_TARGET
from plstui.probe.ssh import connection
from tests.probe.conftest import Nginx
from tests.probe.probing import SHORT, outgoing_sockets, probe, probing
from tests.probe.servers import answering, page, serving, target, unanswered
from tests.probe.sshd import Sshd, free_port


async def test_every_target_tells_who_served_it_and_how_long_it_took(sshd: Sshd) -> None:
    async with answering(page("web1")) as one, answering(page("web2")) as two, probing(sshd.ssh) as prober:
        first, second = await probe(prober, target(one, "web1"), target(two, "web2"), count=12)
    assert (first.ok, first.hosts, first.route) == (True, {"web1": 12}, f"ssh {sshd.jump}")
    assert second.hosts == {"web2": 12}
    assert first.connect_ms is not None
    assert first.connect_ms[0] > 0
    assert first.first_byte_ms is not None
    assert first.first_byte_ms[0] > 0


async def test_a_real_nginx_with_the_page_on_one_port_and_tls_on_another(sshd: Sshd, nginx: Nginx) -> None:
    async with probing(sshd.ssh) as prober:
        plain, tls = await probe(prober, target(nginx.port), target(nginx.tls_port), count=3)
    assert plain.hosts == {"web1": 3}
    assert tls.failures == {Failure.TLS: 3}
    assert tls.error == "TLS is spoken on this port; the page is expected over plain HTTP."


async def test_failures_are_told_apart_also_when_they_come_at_once(sshd: Sshd) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    with unanswered() as silent:
        async with serving(hang_up) as closing, probing(sshd.ssh, connect_timeout=SHORT) as prober:
            refused, unknown, timeout, reset = await probe(
                prober,
                target(free_port(), "refused"),
                target(80, "unknown", address="nowhere.invalid"),
                target(silent, "timeout"),
                target(closing, "reset"),
                count=5,
            )
    assert refused.failures == {Failure.REFUSED: 5}
    assert refused.error == "The jump machine could not connect: Connection refused."
    assert unknown.failures == {Failure.NOT_FOUND: 5}
    assert timeout.failures == {Failure.TIMEOUT: 5}
    assert timeout.error == f"No connection to 127.0.0.1:{silent} within 0.5 s."
    assert reset.failures == {Failure.RESET: 5}
    assert reset.error == "The connection was closed before an answer came."


async def test_a_jump_machine_that_does_not_forward_is_named_and_not_the_target(tmp_path: Path, sshd: Sshd) -> None:
    with Sshd(tmp_path / "closed", options=["AllowTcpForwarding no"]) as closed:
        async with probing(closed.ssh) as prober:
            [result] = await probe(prober, target(free_port()))
    assert result.failures == {Failure.JUMP: 1}
    assert "AllowTcpForwarding" in result.error


async def test_all_attempts_at_fifty_targets_are_under_way_at_the_same_time(sshd: Sshd) -> None:
    """So the slowest target decides how long a probe takes, and not how many there are."""
    count, arrived, everybody = 12, 0, asyncio.Event()

    async def wait_for_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrived
        await reader.readuntil(b"\r\n\r\n")
        arrived += 1
        if arrived == 50 * count:
            everybody.set()
        await everybody.wait()
        writer.write(page("web1"))

    async with serving(wait_for_all) as port, probing(sshd.ssh) as prober:
        results = await probe(prober, *(target(port, f"web{number}") for number in range(50)), count=count)
    assert all(result.ok for result in results)


async def test_a_target_that_hangs_delays_no_other(sshd: Sshd) -> None:
    release = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.write(page("late"))

    names = []
    async with serving(hang) as hanging, answering(page("web1")) as good, probing(sshd.ssh) as prober:
        targets = [target(hanging, "late"), *(target(good, f"web{number}") for number in range(5))]
        async for result in prober.probe(targets, 12):
            names.append(result.target.name)
            if len(names) == 5:
                # Only now may the one that hangs go on: all others have been yielded without it.
                release.set()
    assert names[-1] == "late"
    assert len(names) == 6


async def test_leaving_waits_for_no_target_that_hangs(sshd: Sshd, patient: float) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await never.wait()

    with unanswered() as silent:
        async with (
            serving(hang) as port,
            probing(sshd.ssh, connect_timeout=patient, read_timeout=patient) as prober,
        ):
            probed = asyncio.create_task(probe(prober, target(port), target(silent), count=12))
            await asked.wait()
            probed.cancel()
            await asyncio.wait([probed])
            # Neither has a target answered nor a time-out run out, and yet all of it is over.
            await prober.close()


async def test_closing_ends_a_probe_that_is_still_running(sshd: Sshd) -> None:
    with unanswered() as silent:
        async with answering(page("web1")) as good, probing(sshd.ssh) as prober:
            results = prober.probe([target(good), target(silent, "silent")], 12)
            assert (await anext(results)).ok
            await prober.close()
            with pytest.raises(StopAsyncIteration):
                await anext(results)


async def test_a_cancelled_probe_gives_its_connections_up_and_leaves_the_jump_machine_connected(sshd: Sshd) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        # The request is complete: what is read now is the end of the connection.
        assert await reader.read() == b""
        gone.set()

    async with serving(hang) as port, answering(page("web1")) as good, probing(sshd.ssh) as prober:
        probed = asyncio.create_task(probe(prober, target(port)))
        await asked.wait()
        connected = outgoing_sockets({sshd.port})
        probed.cancel()
        await gone.wait()
        assert (await probe(prober, target(good)))[0].ok
        assert outgoing_sockets({sshd.port}) == connected


async def test_one_connection_serves_all_probes(sshd: Sshd) -> None:
    async with answering(page("web1")) as port, probing(sshd.ssh, sshd.ssh) as prober:
        for _ in range(3):
            isv, customer = await probe(
                prober, target(port, side=Side.ISV), target(port, "endpoint", side=Side.CUSTOMER), count=3
            )
            assert isv.ok
            assert customer.ok
    sshd.stop()
    assert sum("Accepted publickey" in line for line in sshd.log) == 1


async def test_a_jump_machine_that_was_restarted_is_connected_again(sshd: Sshd) -> None:
    async with answering(page("web1")) as port, probing(sshd.ssh) as prober:
        assert (await probe(prober, target(port)))[0].ok
        sshd.stop()
        [result] = await probe(prober, target(port), count=2)
        assert result.failures == {Failure.JUMP: 2}
        assert result.error == f"The jump machine 127.0.0.1:{sshd.port} cannot be reached: Connection refused."
        sshd.start()
        assert (await probe(prober, target(port)))[0].ok


async def test_a_jump_machine_lost_in_the_middle_is_to_blame_and_not_the_target(sshd: Sshd) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await never.wait()

    async with serving(hang) as port, probing(sshd.ssh) as prober:
        probed = asyncio.create_task(probe(prober, target(port)))
        await asked.wait()
        sshd.stop()
        [result] = await probed
    assert result.failures == {Failure.JUMP: 1}
    assert result.error == f"The connection to {sshd.jump} was lost."


async def test_attempts_that_have_not_begun_when_the_jump_machine_is_lost_are_reported_too(sshd: Sshd) -> None:
    asked, never = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await never.wait()

    count = AT_ONCE_PER_TARGET + 5
    async with serving(hang) as port, probing(sshd.ssh) as prober:
        probed = asyncio.create_task(probe(prober, target(port), count=count))
        await asked.wait()
        sshd.stop()
        [result] = await probed
    assert result.failures == {Failure.JUMP: count}


async def test_bodies_without_end_and_answers_that_do_not_come(sshd: Sshd) -> None:
    never, left = asyncio.Event(), asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nHost: ")
        with suppress(ConnectionError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
        left.set()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nHost: web")
        await never.wait()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()

    async with (
        serving(flood) as flooding,
        serving(stall) as stalling,
        serving(hang) as silent,
        probing(sshd.ssh, read_timeout=SHORT) as prober,
    ):
        flooded, stalled, hung = await probe(prober, target(flooding), target(stalling), target(silent))
        # The server that never stops is cut off and not only left unread.
        await left.wait()
    assert flooded.failures == {Failure.WRONG_PAGE: 1}
    assert flooded.error == "An answer longer than 64 KiB, which was not read to its end."
    assert stalled.failures == {Failure.TIMEOUT: 1}
    assert stalled.error == "The answer did not end within 0.5 s."
    assert hung.failures == {Failure.TIMEOUT: 1}
    assert hung.error == "No answer came within 0.5 s."


async def test_a_side_without_a_jump_machine_says_what_to_set() -> None:
    async with probing() as prober:
        [result] = await probe(prober, target(80, side=Side.CUSTOMER), count=2)
    assert result.failures == {Failure.JUMP: 2}
    assert result.error == (
        "No machine to probe from is set for the Customer side: set jump in [customer.ssh] of the settings, "
        "like user@host."
    )
    assert result.route == ""


async def test_an_address_that_would_change_the_request_is_not_used(sshd: Sshd) -> None:
    async with probing(sshd.ssh) as prober:
        [result] = await probe(prober, target(80, address="127.0.0.1\r\nX-Evil: 1"))
    assert result.failures == {Failure.NOT_FOUND: 1}


async def test_nothing_is_written_to_the_screen_when_things_go_wrong(
    sshd: Sshd, capfd: pytest.CaptureFixture[str]
) -> None:
    async with probing(sshd.ssh) as prober:
        await probe(prober, target(free_port()), count=3)
        sshd.stop()
        await probe(prober, target(free_port()))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("forced", ["", "/bin/false", "/bin/cat"])
async def test_what_a_balancer_gives_back_is_known_by_the_jump_machines_own_addresses(
    tmp_path: Path, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, forced: str
) -> None:
    """Whatever the machine is called in the settings. One that runs no command for us leaves a time-out."""
    if forced:
        monkeypatch.setattr(connection, "ANSWER_TIMEOUT", SHORT)
    behind = frozenset({"web9", socket.gethostname().lower()})
    with unanswered() as silent, Sshd(tmp_path / "it", options=[f"ForceCommand {forced}"] if forced else []) as it:
        balancer = replace(target(silent), kind=TargetKind.BALANCER, behind=behind)
        other = replace(balancer, behind=frozenset({"web9"}))
        async with probing(it.ssh, connect_timeout=SHORT) as prober:
            back, lost = await probe(prober, balancer, other, count=3)
    assert back.failures == ({Failure.TIMEOUT: 3} if forced else {})
    assert bool(back.untold) is not bool(forced)
    assert lost.failures == {Failure.TIMEOUT: 3}
