"""Services of a machine: what systemctl says, and what it does to the page."""

from __future__ import annotations

import pytest

from tests.sandbox.fabric.lab import Lab


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("systemctl is-active nginx; echo $?", "active\n0\n"),
        ("systemctl is-enabled nginx", "enabled\n"),
        ("systemctl stop nginx; systemctl is-active nginx; echo $?", "inactive\n3\n"),
        ("systemctl stop nginx; curl -s localhost; echo $?", "7\n"),
        ("systemctl stop nginx && systemctl start nginx && curl -s localhost", "Host: web1"),
        ("service nginx restart && curl -s localhost", "Host: web1"),
        ("systemctl status nginx | grep Active", "     Active: active (running)\n"),
        ("systemctl start nosuch 2>&1; echo $?", "Failed to start nosuch.service: Unit nosuch.service not found.\n5\n"),
        ("systemctl is-active ssh", "active\n"),
        ("ss -ltn | grep -c LISTEN", "2\n"),
        ("echo new >/var/www/html/index.html; curl -s localhost", "new\n"),
        ("echo 'server {' >/etc/nginx/conf.d/x.conf; nginx -t 2>/dev/null || curl -s localhost", "Host: web1"),
        ("echo 'server {' >/etc/nginx/conf.d/x.conf; systemctl restart nginx 2>/dev/null; echo $?; curl -s localhost",
         "1\n"),
        ("apt-get remove -y nginx; curl -s localhost; echo $?; command -v nginx", "7\n"),
        ("apt-get install -y apache2 2>&1; systemctl is-active apache2", "failed\n"),
    ],
)  # fmt: skip
async def test_in_a_backend(lab: Lab, script: str, printed: str) -> None:
    assert await lab.run("web1", script) == printed


async def test_only_root_changes_services(lab: Lab) -> None:
    async with lab.ssh("web1") as connection:
        refused = await connection.run("systemctl stop nginx")
        assert refused.returncode == 1
        assert (await connection.run("curl -s localhost")).stdout == "Host: web1"
        assert (await connection.run("sudo systemctl stop nginx; curl -s localhost; echo $?")).stdout == "7\n"


async def test_a_unit_of_ones_own(lab: Lab) -> None:
    script = """
    mkdir -p /srv/site && echo mine >/srv/site/index.html
    cat >/etc/systemd/system/site.service <<'END'
    [Service]
    ExecStart=/usr/bin/python3 -m http.server 8080 --directory /srv/site
    [Install]
    WantedBy=multi-user.target
    END
    systemctl daemon-reload; systemctl enable --now site
    curl -s localhost:8080
    """
    assert await lab.run("testVM", script.replace("\n    ", "\n")) == "mine\n"
    await lab.network.stop_machine("testVM")
    await lab.network.start_machine("testVM")
    assert await lab.run(
        "testVM", "curl -s localhost:8080; curl -s localhost:8080/none -o /dev/null -w %{http_code}"
    ) == ("mine\n404")
