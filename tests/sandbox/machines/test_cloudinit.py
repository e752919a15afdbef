"""What user data makes of a machine."""

from __future__ import annotations

import asyncio
import base64
import gzip

import pytest

from tests.sandbox.fabric.lab import SUBNET, USER_DATA, Lab, running

PAGE = "curl -s localhost; echo $?"


async def booted(user_data: str, script: str, *, packages: bool = True) -> str:
    """What a script prints in a machine that has booted with some user data."""
    lab = Lab()
    lab.networks(nat_gateway=packages)
    lab.machine("web1", lab.nic("web1-nic", SUBNET, "10.0.1.4"), user_data)
    async with running(lab):
        return await lab.run("web1", script)


async def test_the_labs_backend_serves_its_name() -> None:
    assert await booted(USER_DATA["web"], "curl -s localhost; echo; cloud-init status --wait") == (
        "Host: web1\nstatus: done\n"
    )


async def test_the_labs_client_serves_nothing() -> None:
    assert await booted(USER_DATA["client"], f"{PAGE}; cloud-init status") == "7\nstatus: done\n"


async def test_without_user_data_nothing_is_served() -> None:
    assert await booted("", f"{PAGE}; cloud-init status") == "7\nstatus: done\n"


CONFIG = """#cloud-config
packages: [nginx]
write_files:
- path: /var/www/html/index.html
  content: written
"""


@pytest.mark.parametrize(("packages", "printed"), [(True, "written0\nstatus: done\n"), (False, "7\nstatus: error\n")])
async def test_a_package_that_listens_serves_if_it_could_be_fetched(packages: bool, printed: str) -> None:
    assert await booted(CONFIG, f"{PAGE}; cloud-init status", packages=packages) == printed


async def test_a_file_for_a_user_who_is_not_there_yet_fails_unless_it_is_deferred() -> None:
    config = "#cloud-config\nwrite_files:\n- {path: /a, owner: 'azureuser:azureuser', content: x%s}\n"
    assert await booted(config % "", "cat /a; cloud-init status") == "status: error\n"
    assert await booted(config % ", defer: true", "cat /a; cloud-init status") == "xstatus: done\n"


async def test_encodings_permissions_and_appending() -> None:
    packed = base64.b64encode(gzip.compress(b"zipped\n")).decode()
    config = f"""#cloud-config
write_files:
- {{path: /a, encoding: b64, content: {base64.b64encode(b"plain").decode()}}}
- {{path: /b, encoding: gz+b64, content: {packed}}}
- {{path: /b, append: true, content: more}}
- path: /usr/local/bin/tool
  permissions: '0755'
  content: |
    #!/bin/sh
    echo "tool $1"
"""
    assert await booted(config, "cat /a /b; test -x /usr/local/bin/tool && /usr/local/bin/tool here") == (
        "plainzipped\nmoretool here\n"
    )


async def test_commands_run_in_order_and_a_failure_does_not_stop_them() -> None:
    config = """#cloud-config
bootcmd: [[echo, early]]
runcmd:
- X='in one shell'
- [sh, -c, 'echo "list $0"']
- nosuch
- echo $X
"""
    assert await booted(config, "cat /var/log/cloud-init-output.log") == (
        "early\nlist sh\nnosuch: not in the sandbox\nin one shell\n"
    )


@pytest.mark.parametrize(
    ("user_data", "printed"),
    [
        ("#!/bin/sh\napt-get update; apt-get install -y nginx; echo script >/var/www/html/index.html\n", "script\n0\n"),
        ("## template: jinja\n#cloud-config\nruncmd:\n- echo {{ v1.local_hostname }} >/x\n", "7\n"),
        ("#cloud-config\n- not\n- a mapping\n", "7\n"),
        ("#cloud-config\n{broken: [\n", "7\n"),
        ("Content-Type: multipart/mixed\n", "7\n"),
        ("#cloud-config\npackages: 7\nruncmd: true\nwrite_files: [1]\n", "7\n"),
    ],
)
async def test_other_kinds_of_user_data(user_data: str, printed: str) -> None:
    assert await booted(user_data, PAGE) == printed


async def test_a_template_knows_the_machines_name() -> None:
    user_data = "## template: jinja\n#cloud-config\nruncmd:\n- echo {{ v1.local_hostname }} >/x\n"
    assert await booted(user_data, "cat /x") == "web1\n"


async def test_user_data_that_takes_its_time_holds_up_nobody() -> None:
    lab = Lab()
    lab.everything()
    slow = "#cloud-config\nruncmd:\n- sleep 300\n- echo late >/late\n"
    async with running(lab):
        lab.machine("slow", lab.nic("slow-nic", SUBNET, "10.0.1.20"), slow)
        await lab.clock.until_asleep(300)
        there = asyncio.Event()
        lab.network.on_machines_changed = there.set
        lab.machine("quick", lab.nic("quick-nic", SUBNET, "10.0.1.21"), "")
        await there.wait()
        assert "quick" in [endpoint.name for endpoint in lab.network.ssh_endpoints()]
        assert await lab.run("slow", "cloud-init status") == "status: running\n"
        waiting = asyncio.ensure_future(lab.run("slow", "cloud-init status --wait; cat /late"))
        await lab.clock.pass_over(300)
        assert await waiting == "status: done\nlate\n"


async def test_a_first_boot_that_is_cut_short_begins_anew() -> None:
    lab = Lab()
    lab.networks()
    async with running(lab):
        lab.machine("web1", lab.nic("web1-nic", SUBNET, "10.0.1.4"), "#!/bin/sh\nsleep 300\necho x >>/booted\n")
        await lab.clock.until_asleep(300)
        await lab.network.stop_machine("web1")
        await lab.clock.until_awake(300)
        await lab.network.start_machine("web1")
        await lab.clock.pass_over(300)
        await lab.network.settled()
        assert await lab.run("web1", "cat /booted") == "x\n"


SCRIPT_SERVER = """#cloud-config
write_files:
- path: /opt/page.py
  content: |
    from http.server import BaseHTTPRequestHandler, HTTPServer
    import socket
    PORT = 80
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.wfile.write(f"Host: {socket.gethostname()}".encode())
    HTTPServer(("", PORT), Page).serve_forever()
- path: /etc/systemd/system/page.service
  content: |
    [Service]
    ExecStart=/usr/bin/python3 /opt/page.py
    [Install]
    WantedBy=multi-user.target
runcmd:
- systemctl enable --now page.service
"""


async def test_a_script_that_serves_on_a_port_is_a_web_server() -> None:
    assert await booted(SCRIPT_SERVER, PAGE, packages=False) == "Host: web10\n"
    assert await booted(SCRIPT_SERVER.replace("PORT = 80", "PORT = 81"), PAGE, packages=False) == "7\n"
    assert await booted(SCRIPT_SERVER.replace("systemctl enable --now", "echo"), PAGE, packages=False) == "7\n"
