"""PROXY protocol headers from a private link service to its backends."""

from __future__ import annotations

import struct

from plstui.sandbox.fabric.proxyheader import link_header, probe_header
from tests.sandbox.fabric.lab import CLIENT_ADDRESS, ENDPOINT_ADDRESS, RULE, Lab, running

SIGNATURE = bytes.fromhex("0d0a0d0a000d0a515549540a")


def test_the_header_carries_the_client_and_the_link() -> None:
    header = link_header("10.1.0.4", 40000, "10.1.0.5", 80, 536870912)
    assert header[:12] == SIGNATURE
    assert header[12:14] == b"\x21\x11"
    assert struct.unpack("!H", header[14:16]) == (len(header) - 16,)
    assert header[16:28] == bytes([10, 1, 0, 4, 10, 1, 0, 5]) + struct.pack("!HH", 40000, 80)
    assert header[28:] == b"\xee\x00\x05\x01" + struct.pack("<I", 536870912)


def test_a_probe_is_on_nobodys_behalf() -> None:
    assert probe_header() == SIGNATURE + b"\x20\x00\x00\x00"


async def test_nginx_answers_400_when_it_does_not_know_of_the_header(lab: Lab) -> None:
    lab.service(enableProxyProtocol=True)
    await lab.network.settled()
    answer = await lab.run("testVM", f"curl -si http://{ENDPOINT_ADDRESS}/")
    assert answer.startswith("HTTP/1.1 400 Bad Request\r\nServer: nginx/")
    assert all(member.up for member in lab.network.rule_health(RULE))


async def test_an_http_probe_fails_then() -> None:
    lab = Lab()
    lab.everything()
    lab.balancer(probe={"protocol": "Http", "requestPath": "/"})
    lab.service(enableProxyProtocol=True)
    async with running(lab):
        assert {member.reason for member in lab.network.rule_health(RULE)} == {"Down_Probe_HttpStatusCodeError"}
        lab.service(enableProxyProtocol=False)
        await lab.network.settled()
        assert all(member.up for member in lab.network.rule_health(RULE))


async def test_an_nginx_told_to_expect_the_header_knows_the_client() -> None:
    lab = Lab()
    lab.web_user_data = lab.web_user_data.replace("listen 80 default_server;", "listen 80 proxy_protocol;").replace(
        "try_files /index.html =404;", 'return 200 "$proxy_protocol_addr at $hostname";'
    )
    lab.everything()
    lab.balancer(probe={"protocol": "Http", "requestPath": "/"})
    lab.service(enableProxyProtocol=True)
    async with running(lab):
        assert all(member.up for member in lab.network.rule_health(RULE))
        assert (await lab.run("testVM", f"curl -s http://{ENDPOINT_ADDRESS}/")).startswith(f"{CLIENT_ADDRESS} at web")
        assert await lab.run("web1", "curl -s localhost; echo $?") == "52\n"
