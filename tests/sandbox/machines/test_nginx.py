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


@pytest.mark.parametrize(
    "sent",
    [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"A" * 20000],
)
async def test_what_is_no_request_gets_nginxs_400(lab: Lab, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with lab.ssh("web1") as connection:
        reader, writer = await connection.open_connection("localhost", 80)
        writer.write(sent + b"\r\n\r\n")
        writer.write_eof()
        head = (await reader.read()).partition(b"\r\n\r\n")[0]
    assert b" 400 Bad Request\r\n" in head
    assert b"Server: nginx/" in head
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


@pytest.mark.parametrize("text", ["server {", "server { listen 80 }", "}", "listen 80"])
def test_what_nginx_would_not_start_with(text: str) -> None:
    with pytest.raises(NginxConfigError):
        parse(text)


def test_comments_and_quotes() -> None:
    (directive,) = parse("# all; of { this\nreturn 200 'a; \"b\" {c}'; # rest")
    assert directive.arguments == ["200", 'a; "b" {c}']
