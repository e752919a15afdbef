"""The machines' SSH servers, by clients that are not ours."""

from __future__ import annotations

import shutil
from pathlib import Path

import asyncssh
import pytest

from tests.sandbox.fabric.lab import ENDPOINT_ADDRESS, WEB_ADDRESSES, Lab
from tests.sandbox.machines.openssh import configure, run

needs_openssh = pytest.mark.skipif(not shutil.which("ssh"), reason="OpenSSH's client is not installed")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@needs_openssh
async def test_openssh_logs_in_and_runs_a_command(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-F", str(config), "web1", "hostname; whoami; echo err >&2; exit 4")
    assert (done.exit_code, done.stdout, done.stderr) == (4, b"web1\nazureuser\n", b"err\n")


@needs_openssh
async def test_openssh_sends_a_script(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-F", str(config), "web1", "sh", given=b"for i in 1 2; do hostname; done\n")
    assert done.stdout == b"web1\nweb1\n"
    piped = await run("ssh", "-F", str(config), "web1", "cat >note && wc -c note", given=b"some text")
    assert piped.stdout == b"9 note\n"


@needs_openssh
async def test_openssh_gets_a_prompt(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-tt", "-F", str(config), "web1", given=b"cd /etc\npwd\nnosuch\nexit 3\n")
    text = done.stdout.decode().replace("\r\n", "\n")
    assert done.exit_code == 3
    assert "azureuser@web1:~$ " in text
    assert "azureuser@web1:/etc$ " in text
    assert "nosuch: not in the sandbox\n" in text


@needs_openssh
async def test_openssh_carries_a_connection_through_the_link(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run(
        "ssh", "-F", str(config), "-W", f"{ENDPOINT_ADDRESS}:80", "testVM", given=b"GET / HTTP/1.0\r\n\r\n"
    )
    assert done.stdout.partition(b"\r\n\r\n")[2].startswith(b"Host: web")


@needs_openssh
async def test_openssh_jumps_from_one_machine_to_the_next(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-F", str(config), "-J", "web1", WEB_ADDRESSES["web2"], "hostname")
    assert done.stdout == b"web2\n"


@needs_openssh
async def test_openssh_says_why_a_channel_failed(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-o", "LogLevel=INFO", "-F", str(config), "-W", f"{WEB_ADDRESSES['web2']}:8080", "web1")
    assert b"open failed: connect failed: Connection refused" in done.stderr
    assert done.exit_code == 255


@needs_openssh
async def test_openssh_refuses_a_changed_host_key(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    await lab.network.change_host_key("web1")
    done = await run("ssh", "-F", str(config), "web1", "hostname")
    assert (done.exit_code, done.stdout) == (255, b"")
    assert b"Host key verification failed" in done.stderr


@needs_openssh
async def test_file_transfer_is_not_offered(lab: Lab, tmp_path: Path) -> None:
    config = configure(lab, tmp_path)
    done = await run("ssh", "-F", str(config), "-s", "web1", "sftp")
    assert done.exit_code != 0


@needs_openssh
@needs_curl
async def test_curl_through_a_forwarded_port(lab: Lab, tmp_path: Path) -> None:
    async with lab.ssh("testVM") as connection:
        listener = await connection.forward_local_port("127.0.0.1", 0, ENDPOINT_ADDRESS, 80)
        done = await run("curl", "-sS", "-i", f"http://127.0.0.1:{listener.get_port()}/")
        listener.close()
    head, _, page = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert page.startswith(b"Host: web")


@pytest.mark.parametrize("user", ["root", "azureuser2", ""])
async def test_only_the_administrator_logs_in(lab: Lab, user: str) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1", lab.port("web1"), username=user, client_keys=[lab.key], known_hosts=None, config=None
        )


async def test_only_the_machines_keys_log_in(lab: Lab) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    with pytest.raises(asyncssh.PermissionDenied):
        await asyncssh.connect(
            "127.0.0.1",
            lab.port("web1"),
            username="azureuser",
            client_keys=[stranger],
            password="azureuser",
            known_hosts=None,
            config=None,
        )


async def test_ctrl_c_ends_a_command_and_ctrl_d_the_shell(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        process = await connection.create_process(term_type="xterm")
        await process.stdout.readuntil("$ ")
        process.stdin.write("sleep 100; echo unseen\n")
        await lab.clock.until_asleep(100)
        process.stdin.write("\x03")
        await process.stdout.readuntil("$ ")
        process.stdin.write("echo seen\n\x04")
        rest = await process.stdout.read()
        assert "seen" in rest
        assert "unseen" not in rest.replace("echo unseen", "")


async def test_a_client_that_goes_ends_what_it_started(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        await connection.create_process("sleep 100; echo late >/tmp/late")
        await lab.clock.until_asleep(100)
    await lab.clock.until_awake(100)
    assert await lab.run("testVM", "test -e /tmp/late || echo none") == "none\n"


async def test_what_was_begun_at_a_prompt_ends_with_it(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        process = await connection.create_process(term_type="xterm")
        await process.stdout.readuntil("$ ")
        process.stdin.write("sleep 100 &\n")
        await lab.clock.until_asleep(100)
        process.stdin.write("exit\n")
        await lab.clock.until_awake(100)


async def test_remote_forwarding_is_refused(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", 1)
