"""`curl` and `wget` in a machine, with the answers of the real ones."""

from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.fabric.lab import WEB_ADDRESSES, Lab, vm_id

WEB2 = WEB_ADDRESSES["web2"]


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (f"curl -s {WEB2}", "Host: web2"),
        (f"curl -sSfL http://{WEB2}:80/", "Host: web2"),
        (f"curl -s -o /dev/null -w '%{{http_code}} %{{size_download}} %{{remote_ip}}\\n' {WEB2}", f"200 10 {WEB2}\n"),
        (f"curl -so page {WEB2}; cat page", "Host: web2"),
        (f"curl -sI {WEB2} | head -1", "HTTP/1.1 200 OK\r\n"),
        (f"curl -si {WEB2} | tail -1", "Host: web2"),
        (f"curl -s {WEB2} {WEB_ADDRESSES['web3']}", "Host: web2Host: web3"),
        (f"curl -s -m5 --connect-timeout 2 --retry 3 {WEB2} -H 'X-A: b'", "Host: web2"),
        (f"curl -s -X POST {WEB2} -o /dev/null -w %{{http_code}}", "405"),
        (f"curl -sS http://{WEB2}:8080 2>&1", f"curl: (7) Failed to connect to {WEB2} port 8080: Connection refused\n"),
        ("curl -s http://nowhere.example/; echo $?", "6\n"),
        ("curl -sS 2>&1; echo $?", "curl: no URL specified\n2\n"),
        ("curl -sS ftp://x/ 2>&1; echo $?", 'curl: (1) Protocol "ftp" not supported\n1\n'),
        ("curl -s --nosuch x 2>&1; echo $?", "curl: option --nosuch: not in the sandbox\n2\n"),
        ("curl -s http://[x/; echo $?", "3\n"),
        (f"wget -qO- {WEB2}", "Host: web2"),
        (f"wget -q -O - http://{WEB2}/", "Host: web2"),
        (f"wget -q http://{WEB2}/page.html && cat page.html", "Host: web2"),
        ("wget -q http://localhost:81/; echo $?", "4\n"),
    ],
)  # fmt: skip
async def test_answers(lab: Lab, command: str, printed: str) -> None:
    assert await lab.run("web1", command) == printed


async def test_fail_turns_an_error_page_into_an_exit_code(lab: Lab) -> None:
    await lab.run("web2", "rm /var/www/html/index.html")
    output = await lab.network.run_command(vm_id("web1"), f"curl -sSf {WEB2}")
    assert (output.exit_code, output.stdout) == (22, "")
    assert output.stderr == "curl: (22) The requested URL returned error: 404\n"


@pytest.mark.parametrize("flag", ["-m 4", "--max-time 4", "--connect-timeout 4"])
async def test_limits_are_kept(lab: Lab, flag: str) -> None:
    fetching = asyncio.ensure_future(lab.run("web1", f"curl -s {flag} -w '%{{http_code}}' 10.0.1.99; echo $?"))
    await lab.clock.pass_over(4)
    assert await fetching == "00028\n"


async def test_a_script_can_wait_for_a_server(lab: Lab) -> None:
    await lab.run("web2", "systemctl stop nginx")
    waiting = asyncio.ensure_future(lab.run("web1", f"until curl -sf {WEB2}; do sleep 7; done"))
    await lab.clock.until_asleep(7)
    await lab.run("web2", "systemctl start nginx")
    await lab.clock.pass_over(7)
    assert await waiting == "Host: web2"


async def test_a_server_that_hangs_while_it_answers_runs_into_the_limit(lab: Lab) -> None:
    await lab.network.hang_machine("web2")
    fetching = asyncio.ensure_future(lab.run("web1", f"curl -sS -m 5 {WEB2} 2>&1"))
    await lab.clock.pass_over(5)
    assert "(28)" in await fetching
