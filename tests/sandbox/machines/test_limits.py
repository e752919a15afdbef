"""What a script, a configuration or a client may cost: so much, and then the machine says no as a machine would."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import asyncssh
import pytest

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.machines.disk import MOST_NAMES, Disk
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.nginx import NginxConfigError, parse
from plstui.sandbox.machines.patterns import Pattern, PatternError, glob
from plstui.sandbox.machines.shell import parser
from plstui.sandbox.machines.sshd import MOST_CONNECTIONS, MOST_FORWARDS, MOST_SESSIONS
from tests.sandbox.fabric.lab import Lab, running, vm_id
from tests.sandbox.machines.openssh import configure, run
from tests.sandbox.machines.test_cloudinit import booted

needs_openssh = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")

TEN_THOUSAND = "X=0123456789; X=$X$X$X$X$X$X$X$X$X$X; X=$X$X$X$X$X$X$X$X$X$X; X=$X$X$X$X$X$X$X$X$X$X; "


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|a)*$", "(a|aa)+$"])
def test_no_expression_takes_longer_than_its_text(expression: str) -> None:
    assert Pattern(f"^{expression}").found_in("a" * 10_000)
    assert not Pattern(f"^{expression}").found_in("a" * 10_000 + "!")


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r"(a)\1", "back-references: not in the sandbox"),
        ("(?=a)", "not in the sandbox"),
        ("(?<!a)b", "not in the sandbox"),
        ("a{30000}", "invalid repetition size"),
        ("(((a{90}){90}){90}){90}", "invalid repetition size"),
        ("[" + "ab" * 5000, "too big"),
    ],
)
def test_what_would_need_backtracking_or_memory_is_refused(expression: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        Pattern(expression)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*.conf", "a.conf", True),
        ("a?c", "abc", True),
        ("[a-c]x", "bx", True),
        ("[!a]x", "ax", False),
        ("[]a]", "]", True),
        ("[", "[", True),
        ("x.y", "xzy", False),
        ("*", "\udc80\n", True),
        ("*a" * 200 + "b", "a" * 200, False),
    ],
)
def test_file_name_patterns(pattern: str, name: str, fits: bool) -> None:
    assert glob(pattern).fits(name) is fits


@pytest.mark.parametrize(
    "script",
    [
        "echo " + "$" * 250_000,
        "true\n" * 50_000,
        "cat <<a\na\n" * 20_000,
        "cat <<E\n" + "x\n" * 100_000 + "E\n",
        "echo " + "'a'\"b\"" * 40_000,
    ],
)
def test_a_long_script_is_read_in_a_time_that_grows_with_it(script: str) -> None:
    parser.parse(script)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("true\n" * 500_000, "a script has at most 256 KiB"),
        ("$" * 1_000_000, "a script has at most 256 KiB"),
        ("".join(f"cat <<E{i}\n$(" for i in range(3000)), "nested too deeply"),
        ("{ " * 3000, "nested too deeply"),
        ('"$(' * 3000, "nested too deeply"),
    ],
)
def test_a_script_that_is_too_long_or_too_deep_is_refused(script: str, words: str) -> None:
    with pytest.raises(ShellSyntaxError, match=words):
        parser.parse(script)


async def test_a_text_without_an_end_is_all_there(lab: Lab) -> None:
    assert await lab.run("web1", "cat <<E\na\nb") == "a\nb"


@pytest.mark.parametrize(
    ("script", "code", "words"),
    [
        ("printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | grep -E '(a+)+$'", 1, ""),
        ("echo aa | grep '\\(a\\)\\1'", 2, "grep: back-references: not in the sandbox"),
        ("while x=1; do x=2; done", 2, "the sandbox ends a script after 100,000 commands"),
        ("while do done", 2, "the sandbox ends a script after 100,000 commands"),
        ("for i in $(seq 30000); do sleep 100 & done", 2, "Cannot fork"),
        ("while :; do nosuch; done", 2, "nosuch: not in the sandbox"),
        ("while :; do seq 100000; done >/dev/null", 2, "ends a script after"),
        ("seq 100000 >/tmp/f; while :; do wc /tmp/f; done >/dev/null", 2, "characters"),
        ("seq 100000 >/tmp/f; while :; do wc -l; done </tmp/f >/dev/null", 2, "characters"),
        ("seq 100000 >/tmp/f; grep -E '(1|2)*3(1|2|3){300}$' /tmp/f", 2, "characters"),
        (f"{TEN_THOUSAND} X=$X$X$X$X$X; i=0; while :; do export V$i=$X; i=$((i+1)); done", 2, "Cannot allocate memory"),
        (f"{TEN_THOUSAND} X=$X$X$X$X$X$X$X$X$X$X$X$X$X$X; echo $X", 126, "Argument list too long"),
        ("mkdir -p /" + "a/" * 5000, 1, "File name too long"),
        ("for i in $(seq 20000); do : >/tmp/$i; done", 1, "No space left on device"),
        ("for i in $(seq 40); do seq 100000 >/tmp/$i; done", 2, "No space left on device"),
        ("printf '" + "%9999d" * 200 + "'", 2, "too much text"),
        ("seq 1 1 99999999999999999999999999", 1, "too many numbers"),
        ("tr 'a-\U0010ffff' b </etc/hostname", 2, "not in the sandbox"),
        ("head -n " + "9" * 5000 + " /etc/hostname; exit \u00b2", 2, "not in the sandbox"),
        ("echo ${" + "9" * 5000 + "}; nc '' 1", 2, "not in the sandbox"),
        ("env " * 2000 + "true", 2, "nested too deeply"),
        ("[ " + "! " * 2000 + "x ]", 2, "test: not in the sandbox"),
        ("echo $((" + "1+" * 2000 + "1))", 2, "such a long arithmetic expression"),
        ("echo $((1if 2))", 2, "not in the sandbox"),
        ("curl -m nan localhost", 2, "expected a proper numerical parameter"),
        ("curl --retry 1e300 localhost", 2, "expected a proper numerical parameter"),
        ("wget -T nan localhost", 2, "expected a proper numerical parameter"),
        ("curl -s -o /dev/null -w '" + "%{url}" * 2000 + "' localhost/" + "a" * 7000, 2, "too much text"),
        ("echo '#!/bin/sh\n/tmp/me & /tmp/me' >/tmp/me; /tmp/me", 2, "nested too deeply"),
        (
            """printf "[Service]\\nExecStart=/bin/sh -c 'while :; do :; done'\\n" >/etc/systemd/system/a.service
            systemctl start a; true""",
            2,
            "ends a script after 100,000 commands",
        ),
    ],
)
async def test_a_script_ends_at_its_limits(lab: Lab, script: str, code: int, words: str) -> None:
    output = await lab.network.run_command(vm_id("web1"), script)
    assert output.exit_code == code, output.stderr[-200:]
    assert words in output.stderr
    assert await lab.run("web2", "hostname") == "web2\n"


async def test_what_a_script_leaves_in_the_background_ends_with_it(lab: Lab) -> None:
    """A job of a subshell is the script's too: nothing of it runs on with nobody to read what it prints."""
    output = await lab.network.run_command(vm_id("web1"), "(while :; do sleep 1000; done &); x=$((1 / 0))")
    assert "division by zero" in output.stderr
    await lab.clock.until_awake(1000)


async def test_many_files_are_looked_through_in_a_moment(lab: Lab) -> None:
    made = "mkdir -p /g; for i in $(seq 3000); do : >/g/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa$i; done; "
    assert await lab.run("web1", made + "echo /g/*a*a*a*a*a*a*a*a*a*a*a*a*b; echo /g/*a2999") == (
        "/g/*a*a*a*a*a*a*a*a*a*a*a*a*b\n/g/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2999\n"
    )


def test_a_disk_is_full_some_day_and_has_room_again() -> None:
    disk = Disk()
    disk.write("/a/big", "x" * 1_000_000)
    with pytest.raises(OSError, match="No space left"):
        disk.append("/a/big", "x" * 1_000_000)
    while len(disk.names("/many")) < MOST_NAMES - 100:
        for number in range(100):
            disk.write(f"/many/{len(disk.names('/many'))}-{number}", "")
    with pytest.raises(OSError, match="No space left"):
        disk.make_folder("/" + "more/" * 200)

    assert disk.remove("/many")
    assert not disk.exists("/many/1")
    disk.write("/many/1", "")
    assert disk.names("/many") == ["1"]
    assert disk.names("/a") == ["big"]


async def test_who_sleeps_no_more_is_forgotten() -> None:
    clock = SandboxClock()
    for _ in range(5_000):
        task = asyncio.ensure_future(clock.sleep(10**9))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(clock._sleepers) < 3_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a{" * 3000, "nested too deeply"),
        ("server { return 200 " + "x" * 5000 + "; }", "too long parameter"),
        ("listen 80;\n" + " " * 100_000, "long configuration"),
    ],
)
def test_a_configuration_that_is_too_much_is_refused(text: str, words: str) -> None:
    with pytest.raises(NginxConfigError, match=words):
        parse(text)


def test_blanks_and_words_of_a_configuration_are_read_in_a_moment() -> None:
    assert len(parse("listen 80; " * 5_000)) == 5_000
    assert len(parse("listen 80;" + " " * 60_000)) == 1


@pytest.mark.parametrize(
    ("site", "answer"),
    [
        ("return 99999 x;", "nginx: [emerg] invalid code"),
        ("try_files /a =x;", "nginx: [emerg] invalid code"),
        ('add_header "X: y" a; add_header X-Y "a\\r\\nb"; add_header Content-Length 9; return 200 ok;', "200 ok"),
        ("return 200 " + "$host" * 800 + ";", "500"),
        ("location / { try_files" + " /none" * 4_000 + " =404; }", "404"),
    ],
)
async def test_a_site_cannot_say_what_no_server_sends(
    lab: Lab, site: str, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    host = "h" * 500
    script = (
        f"cat >/etc/nginx/conf.d/x.conf <<'END'\nserver {{ listen 81; {site} }}\nEND\n"
        f"systemctl restart nginx; nginx -t 2>&1 | head -1; curl -s -H 'Host: {host}' -w '%{{http_code}} ' "
        "-o /tmp/page localhost:81/%0d%0a; cat /tmp/page"
    )
    assert answer in await lab.run("web1", script)
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


async def test_a_full_disk_keeps_no_page_from_being_served(lab: Lab) -> None:
    fill = "for i in 1 2 3 4 5 6 7 8 9; do sh -c 'seq 100000 >/tmp/'$i'$0; seq 100000 >/tmp/'$i'$1' a b; done; "
    fill += "for i in 1 2 3 4 5 6 7 8 9; do sh -c 'seq 100000 >/tmp/'$i'$0; seq 100000 >/tmp/'$i'$1' c d; done; "
    assert (await lab.run("web1", fill + "curl -s localhost")).endswith("Host: web1")


async def test_a_machine_has_so_many_ports(lab: Lab) -> None:
    site = 'for i in $(seq 2000 2100); do echo "server { listen $i; return 200 x; }"; done >/etc/nginx/conf.d/x.conf; '
    tried = site + "systemctl restart nginx 2>/dev/null; echo $?; ss -ltn | grep -c :2"
    assert await lab.run("web1", tried) == "1\n1\n"


async def test_a_server_script_of_blanks_is_looked_through_in_a_moment(lab: Lab) -> None:
    script = (
        f"{TEN_THOUSAND} printf '[Service]\\nExecStart=/usr/bin/python3 /tmp/s.py\\n' >/etc/systemd/system/s.service; "
        'echo "HTTPServer((" >/tmp/s.py; for i in 1 2 3 4 5; do echo "$X$X$X$X$X" | tr -c "(" " " >>/tmp/s.py; done; '
        "systemctl start s 2>/dev/null; echo $?"
    )
    assert await lab.run("web1", script) == "1\n"


@pytest.mark.parametrize(
    "user_data",
    [
        "#cloud-config\nruncmd: " + "[" * 5_000,
        "#cloud-config\na: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        )
        + "runcmd: [*i]\n",
        "#cloud-config\nruncmd: &a [*a]\n",
        "#cloud-config\na: !!timestamp x\n",
        "#cloud-config\na: 2026-99-99\n",
        "#cloud-config\n" + "a: b\n" * 100_000,
        "#cloud-config\nwrite_files:\n- {path: /" + "a" * 5000 + ", content: x}\n",
    ],
)
async def test_user_data_that_is_too_much_is_an_error_and_the_machine_is_there(user_data: str) -> None:
    assert await booted(user_data, "cloud-init status; hostname") == "status: error\nweb1\n"


@pytest.mark.parametrize(
    "script", ["sleep 77777", "sleep 77777 & wait", "echo \\$(sleep 77777 & wait)", "(sleep 77777 & wait) | cat"]
)
async def test_a_machine_whose_boot_never_ends_can_be_switched_off(lab: Lab, script: str) -> None:
    unit = f"[Service]\\nType=oneshot\\nExecStart=/bin/sh -c '{script}'\\n"
    await lab.run("web1", f'printf "{unit}" >/etc/systemd/system/slow.service; systemctl enable slow')
    await lab.network.stop_machine("web1")
    await lab.network.start_machine("web1")
    await lab.clock.until_asleep(77777)
    assert await lab.run("web2", "hostname") == "web2\n"
    await lab.network.stop_machine("web1")
    await lab.clock.until_awake(77777)


async def test_a_sandbox_ends_while_a_machine_boots_for_ever() -> None:
    lab = Lab()
    lab.everything()
    async with running(lab):
        unit = "[Service]\\nType=oneshot\\nExecStart=/bin/sh -c 'sleep 77777'\\n"
        await lab.run("web1", f'printf "{unit}" >/etc/systemd/system/slow.service; systemctl enable slow')
        await lab.network.stop_machine("web1")
        await lab.network.start_machine("web1")
        await lab.clock.until_asleep(77777)


@needs_openssh
@pytest.mark.parametrize("command", [["cat"], []])
async def test_endless_input_is_not_taken_in(lab: Lab, tmp_path: Path, command: list[str]) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-F", str(config), "web1", *command, given=b"x" * 3_000_000)
    assert done.exit_code == 2
    assert b"sh: too much input for the sandbox\n" in done.stderr


async def test_a_connection_has_so_many_sessions(lab: Lab) -> None:
    async with lab.ssh("web1") as connection:
        opened = [await connection.create_process("sleep 5h") for _ in range(MOST_SESSIONS)]
        with pytest.raises(asyncssh.ChannelOpenError, match="Too many sessions"):
            await connection.run("hostname")
        opened[0].close()
        await opened[0].wait_closed()
        assert (await connection.run("hostname")).stdout == "web1\n"
        assert await lab.run("web1", "hostname") == "web1\n"


async def test_a_connection_has_so_many_channels(lab: Lab) -> None:
    async with lab.ssh("web1") as connection:
        opened = [await connection.open_connection("localhost", 80) for _ in range(100)]
        waiting = [
            asyncio.ensure_future(connection.open_connection("10.0.1.99", 80))
            for _ in range(MOST_FORWARDS - len(opened))
        ]
        await asyncio.sleep(0)
        with pytest.raises(asyncssh.ChannelOpenError, match="Too many channels"):
            await connection.open_connection("localhost", 80)
        opened[0][1].close()
        await opened[0][1].wait_closed()
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_machine_has_so_many_clients(lab: Lab) -> None:
    streams = [await asyncio.open_connection("127.0.0.1", lab.port("web1")) for _ in range(MOST_CONNECTIONS + 20)]
    greetings = await asyncio.gather(*(reader.readline() for reader, _ in streams), return_exceptions=True)
    for _, writer in streams:
        writer.close()
    assert sum(isinstance(line, bytes) and line.startswith(b"SSH-2.0") for line in greetings) <= MOST_CONNECTIONS
    assert await lab.run("web1", "hostname") == "web1\n"
