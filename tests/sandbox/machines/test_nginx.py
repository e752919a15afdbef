"""nginx's configuration files, as far as pages depend on them."""

from __future__ import annotations

import pytest

from plstui.sandbox.machines.nginx import NginxConfigError, parse
from tests.sandbox.fabric.lab import Lab

OTHER = """
server {
    listen 127.0.0.1:8080;
    server_name _;
    root /srv;
    index page.txt;
    location = /exact { return 200 "exact $hostname $uri\\n"; }
    location /moved { return 301 http://$host/new; }
    location /teapot { return 418; }
    location /deep/ { root /elsewhere; add_header X-Deep yes; }
}
server { listen 8080; server_name named.example; return 200 "named\\n"; }
"""


async def served(lab: Lab, command: str) -> str:
    """What a command prints after another site was added."""
    await lab.run(
        "web1",
        "mkdir -p /srv /elsewhere/deep; echo index >/srv/page.txt; echo deep >/elsewhere/deep/file; "
        f"cat >/etc/nginx/conf.d/other.conf <<'END'\n{OTHER}\nEND\nsystemctl reload nginx",
    )
    return await lab.run("web1", command)


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("curl -s localhost:8080", "index\n"),
        ("curl -s localhost:8080/exact", "exact web1 /exact\n"),
        ("curl -s -o /dev/null -w %{http_code} localhost:8080/exact/not", "404"),
        ("curl -sI localhost:8080/moved | grep -i location", "Location: http://localhost/new\r\n"),
        ("curl -s -o /dev/null -w %{http_code} localhost:8080/teapot", "418"),
        ("curl -si localhost:8080/deep/file | grep -ci x-deep", "1\n"),
        ("curl -s localhost:8080/deep/../../../etc/hostname -o /dev/null -w %{http_code}", "404"),
        ("curl -s -H 'Host: named.example' localhost:8080", "named\n"),
        ("curl -s localhost", "Host: web1"),
    ],
)
async def test_another_site(lab: Lab, command: str, printed: str) -> None:
    assert await served(lab, command) == printed


@pytest.mark.parametrize("text", ["server {", "server { listen 80 }", "}", "listen 80"])
def test_what_nginx_would_not_start_with(text: str) -> None:
    with pytest.raises(NginxConfigError):
        parse(text)


def test_comments_and_quotes() -> None:
    (directive,) = parse("# all; of { this\nreturn 200 'a; \"b\" {c}'; # rest")
    assert directive.arguments == ["200", 'a; "b" {c}']
