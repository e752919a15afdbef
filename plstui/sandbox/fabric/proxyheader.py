"""The PROXY protocol header, version 2, as a private link service sends it."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_LOCAL, _PROXY = 0x20, 0x21
_UNSPECIFIED, _TCP_IPV4 = 0x00, 0x11
_AZURE, _LINK_ID = 0xEE, 0x01
"""The type of Azure's own value, and its subtype for the identifier of the private link."""


def link_header(source: str, source_port: int, destination: str, port: int, link_identifier: int) -> bytes:
    """The header before the bytes of a connection through a private link."""
    addresses = IPv4Address(source).packed + IPv4Address(destination).packed + struct.pack("!HH", source_port, port)
    # Azure writes the identifier in little-endian order, unlike the rest.
    value = struct.pack("<BI", _LINK_ID, link_identifier)
    body = addresses + struct.pack("!BH", _AZURE, len(value)) + value
    return _SIGNATURE + struct.pack("!BBH", _PROXY, _TCP_IPV4, len(body)) + body


def probe_header() -> bytes:
    """The header before a health probe: a connection of the balancer's own, on nobody's behalf."""
    return _SIGNATURE + struct.pack("!BBH", _LOCAL, _UNSPECIFIED, 0)
