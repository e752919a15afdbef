"""One HTTP request over a connection of a machine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

MOST_BODY = 4 * 1024 * 1024
"""Bytes of a body that are read; the pages here are lines."""


class EmptyReplyError(Exception):
    """The server closed the connection without an answer."""


class BrokenReplyError(Exception):
    """What came back is no HTTP, or it ended too early."""


@dataclass(frozen=True, slots=True)
class Response:
    """What the server said."""

    status: int
    head: str
    """Status line and headers, ending in an empty line."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


async def fetch(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, path: str, method: str, headers: list[str]
) -> Response:
    """Send one request and read its answer; the connection is of no use afterwards.

    Raises `EmptyReplyError`, `BrokenReplyError` and `OSError`.
    """
    given = {header.partition(":")[0].strip().lower() for header in headers}
    lines = [f"{method} {path} HTTP/1.1"]
    lines += [] if "host" in given else [f"Host: {host}"]
    lines += [] if "user-agent" in given else ["User-Agent: curl/8.5.0"]
    lines += ["Accept: */*", *headers, "Connection: close"]
    writer.write("".join(f"{line}\r\n" for line in [*lines, ""]).encode("utf-8", "surrogateescape"))
    try:
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BrokenReplyError("the answer ended too early") from None
        raise EmptyReplyError from None
    except asyncio.LimitOverrunError:
        raise BrokenReplyError("the header is too long") from None
    status_line, *fields = head.strip().split("\r\n")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
        raise BrokenReplyError("the answer is no HTTP")
    named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)}
    status = int(words[1])
    body = b"" if method == "HEAD" or status in (204, 304) else await _body(reader, named)
    return Response(status, head, named, body)


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    try:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await _chunks(reader)
        if (length := headers.get("content-length", "")).isdigit():
            return await reader.readexactly(min(int(length), MOST_BODY))
        return await reader.read(MOST_BODY)
    except (asyncio.IncompleteReadError, ValueError):
        raise BrokenReplyError("the body ended too early") from None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0].strip() or b"0", 16):
        body += await reader.readexactly(min(size, MOST_BODY - len(body)))
        await reader.readline()
    return body
