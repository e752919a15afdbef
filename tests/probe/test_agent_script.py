"""The script that probes from inside a machine: run by real shells, with real curl and real Python, and read again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.config.settings import Probe
from plstui.domain.probe import Attempt, Failure, Target
from plstui.probe.agent.output import OutputError, read
from plstui.probe.agent.script import MOST_TARGETS, SHOWN, Asked, powershell_script, shell_script
from tests.probe.conftest import Nginx
from tests.probe.probing import SHORT
from tests.probe.servers import answering, odd_servers, page, serving, target, unanswered
from tests.probe.sshd import free_port

PROBE = Probe(connect_timeout=SHORT, read_timeout=SHORT)
NONCE = "5f3a9c01"


def asked(*targets: Target, count: int = 3) -> Asked:
    return Asked(NONCE, targets, count, PROBE)


def only(folder: Path, *names: str) -> None:
    """Make a folder of programs that has these."""
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)


@pytest.fixture(params=["dash with curl", "bash with curl", "dash with python"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, dict[str, str]]:
    """A shell, and an environment in which one of the two programs is found."""
    shell, program = request.param.split(" with ")
    path = os.environ["PATH"]
    if program == "python":
        (tmp_path / "python3").symlink_to(Path(sys.executable).resolve())
        only(tmp_path, "mktemp", "cat", "rm")
        path = str(tmp_path)
    found_shell = shutil.which(shell)
    if found_shell is None:
        pytest.skip(f"{shell} is not installed")
    return found_shell, {"PATH": path, "HOME": os.environ["HOME"], "TMPDIR": str(tmp_path)}


async def run(machine: tuple[str, dict[str, str]], script: str) -> str:
    """What a machine's agent would hand over of the output."""
    shell, environment = machine
    process = await asyncio.create_subprocess_exec(
        shell, "-s", env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(script.encode())
    assert process.returncode == 0
    return out.decode()


async def probe(machine: tuple[str, dict[str, str]], *targets: Target, count: int = 3) -> list[Sequence[Attempt]]:
    question = asked(*targets, count=count)
    output = await run(machine, shell_script(question))
    assert len(output) <= SHOWN
    found = read(output, NONCE, count)
    return [found[place] for place in range(len(targets))]


Machine = tuple[str, dict[str, str]]


async def test_the_page_and_how_long_it_took(machine: Machine, nginx: Nginx) -> None:
    async with answering(page("web-2.lab")) as port:
        first, second = await probe(machine, target(nginx.port), target(port, address="localhost"), count=12)
    assert [attempt.host for attempt in first] == ["web1"] * 12
    assert [attempt.host for attempt in second] == ["web-2.lab"] * 12
    assert all(a.connect_ms and a.first_byte_ms is not None and a.connect_ms < 1000 for a in (*first, *second))
    assert {attempt.resolved for attempt in second} == {"127.0.0.1"}


async def test_the_settings_that_curl_has_in_the_machine_do_not_count(machine: Machine, tmp_path: Path) -> None:
    shell, environment = machine
    (tmp_path / ".curlrc").write_text("include\nmax-filesize = 1\n")
    async with answering(page("web1")) as port:
        [attempts] = await probe((shell, {**environment, "HOME": str(tmp_path)}), target(port))
    assert [attempt.host for attempt in attempts] == ["web1"] * 3


EXPECTED = {
    "chunked": (None, "web1"),
    "old": (None, "web1"),
    "other": (Failure.WRONG_PAGE, "Another page: “Welcome?? ??2J to? nginx?”."),
    "two": (Failure.WRONG_PAGE, "Another page: “Host: web1 Host: web2”."),
    "empty": (Failure.WRONG_PAGE, "An empty page."),
    "redirect": (Failure.WRONG_PAGE, "A redirect (HTTP 302 Found), which is not followed."),
    "gone": (Failure.WRONG_PAGE, "HTTP 404 Not Found instead of the page."),
    "control": (Failure.WRONG_PAGE, "Another page: “Host: ??31mweb1”."),
    "cut": (Failure.RESET, "The connection was closed before a whole answer came."),
    "long": (Failure.WRONG_PAGE, "An answer that is far too long for the page."),
    "flood": (Failure.WRONG_PAGE, "An answer that is far too long for the page."),
    "ssh": (Failure.WRONG_PAGE, "Something that is not HTTP."),
    "hang": (Failure.TIMEOUT, "No whole answer in time."),
    "hang up": (Failure.RESET, "The connection was closed before a whole answer came."),
}


async def test_odd_answers_are_bounded_and_told_in_words(machine: Machine) -> None:
    async with odd_servers() as ports:
        names = list(ports)
        results = await probe(machine, *(target(ports[name], name) for name in names), count=1)
    found = {name: attempts[0] for name, attempts in zip(names, results, strict=True)}
    for name, (failure, words) in EXPECTED.items():
        assert (found[name].failure, found[name].host or found[name].error) == (failure, words), name
    for name in ("binary", "gzip"):
        assert found[name].failure is Failure.WRONG_PAGE


async def test_failures_are_told_apart(machine: Machine, nginx: Nginx) -> None:
    with unanswered() as silent:
        refused, unknown, timeout, tls = await probe(
            machine,
            target(free_port()),
            target(80, address="nowhere.invalid"),
            target(silent),
            target(nginx.tls_port),
        )
    assert [attempt.failure for attempt in refused] == [Failure.REFUSED] * 3
    assert [attempt.failure for attempt in unknown] == [Failure.NOT_FOUND] * 3
    assert [attempt.failure for attempt in timeout] == [Failure.TIMEOUT] * 3
    assert timeout[0].error == "No connection in time."
    assert [attempt.failure for attempt in tls] == [Failure.TLS] * 3


async def test_one_that_hangs_delays_no_other(machine: Machine) -> None:
    """The one that hangs is let go only when all others have been asked."""
    release, asked_others = asyncio.Event(), 0

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await release.wait()
        writer.write(page("late"))

    async def quick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked_others
        await reader.readuntil(b"\r\n\r\n")
        asked_others += 1
        if asked_others == 8:
            release.set()
        writer.write(page("web1"))

    async with serving(late) as hanging, serving(quick) as good:
        question = replace(
            asked(target(hanging), target(good), target(good, "web2"), count=4), probe=Probe(read_timeout=300)
        )
        found = read(await run(machine, shell_script(question)), NONCE, 4)
    assert [[attempt.host for attempt in found[place]] for place in range(3)] == [["late"] * 4, *[["web1"] * 4] * 2]


async def test_what_is_printed_fits_however_much_there_is(machine: Machine) -> None:
    name = "a" * 63
    async with answering(page(name)) as port:
        results = await probe(machine, *(target(port, f"web{n}") for n in range(MOST_TARGETS)), count=12)
    assert all(attempts and {attempt.host for attempt in attempts} == {name} for attempts in results)


async def test_nothing_is_left_in_the_machine(machine: Machine) -> None:
    async with answering(page("web1")) as port:
        await probe(machine, target(port))
    assert not [name for name in os.listdir(machine[1]["TMPDIR"]) if name.startswith("tmp.")]


async def test_a_machine_that_has_neither_program_says_so(tmp_path: Path) -> None:
    only(tmp_path, "mktemp", "cat", "rm")
    shell = shutil.which("dash")
    if shell is None:
        pytest.skip("dash is not installed")
    output = await run((shell, {"PATH": str(tmp_path), "TMPDIR": str(tmp_path)}), shell_script(asked(target(80))))
    with pytest.raises(OutputError, match=r"There is neither curl nor python3\."):
        read(output, NONCE, 1)


END = f'{{"n":"{NONCE}","end":1}}\n'
GOOD = f'{{"n":"{NONCE}","t":0,"q":"10.0.1.4","a":"k,0001000,0003500,web1;r;"}}\n'


def test_what_is_read_of_a_line() -> None:
    found = read(GOOD + END, NONCE, 12)
    assert found == {
        0: (
            Attempt("web1", None, "", 1.0, 2.5, "10.0.1.4"),
            Attempt(None, Failure.REFUSED, "The machine could not connect: Connection refused.", resolved="10.0.1.4"),
        )
    }
    assert len(read(GOOD + END, NONCE, 1)[0]) == 1


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("", "printed nothing"),
        ("\n\n", "printed nothing"),
        (GOOD, "breaks off"),
        (GOOD.replace(NONCE, "00000000") + END.replace(NONCE, "00000000"), "not this probe's"),
        ("hello\n", "not this probe's"),
        ('{"n":1}\n[]\nnull\n' + "[" * 5000, "not this probe's"),
    ],
)
def test_what_is_not_this_scripts_is_not_used(output: str, said: str) -> None:
    with pytest.raises(OutputError, match=said):
        read(output, NONCE, 12)


def test_a_target_whose_line_was_cut_off_is_missing() -> None:
    # Azure hands over the last 4,096 bytes: the first line lacks its beginning.
    assert read('"q":"","a":"r;"}\n' + GOOD.replace('"t":0', '"t":1') + END, NONCE, 12).keys() == {1}


def test_lines_of_others_in_between_do_no_harm() -> None:
    assert read(f"motd\n{GOOD}\n{GOOD.replace(NONCE, 'ffffffff')}{END}", NONCE, 12).keys() == {0}


@pytest.mark.parametrize(
    "attempt", ["k,1,2,<b>", "k", "k,1,2", "x,y", "t,a,b", "s,1,2,999999", "s,1,2", "p,1,2,\\u001b[2J", "e56", ",,,"]
)
def test_whatever_an_attempt_is_said_to_be_it_is_a_harmless_failure(attempt: str) -> None:
    [found] = read(f'{{"n":"{NONCE}","t":0,"q":7,"a":"{attempt};"}}\n{END}', NONCE, 12)[0]
    assert found.failure is not None
    assert found.error.isprintable()
    assert (found.resolved, found.host) == ("", None)


def test_the_script_for_windows_has_the_same_values() -> None:
    script = powershell_script(asked(target(80, address="10.1.0.5"), target(81, address="saas.internal"), count=4))
    assert f"$nonce = '{NONCE}'\n$connect = 0.5\n$total = 1\n$count = 4\n$room = " in script
    assert "$targets = '0,10.1.0.5,80 1,saas.internal,81'\n" in script
