"""Read one HTTP answer of a server that nobody vouches for: bounded, and nothing of it is decoded or followed.

Only what decides between the page and something else is looked at. The bytes come from outside as they arrive; what
they mean comes out as a `Verdict` as soon as it is certain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from plstui.domain.page import host_of, page_line
from plstui.domain.probe import Failure
from plstui.domain.text import clean

LONGEST_HEAD = 16 * 1024
"""Bytes of status line and headers; servers themselves allow 8 KiB."""

LONGEST_ANSWER = 64 * 1024
"""Bytes of the whole answer. The page has less than a hundred."""

_STATUS = re.compile(rb"HTTP/1\.[01] (?P<code>\d{3})(?: (?P<reason>.*))?$")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_SPEAKS_TLS = re.compile(rb"HTTPS port|HTTPS server|SSL-enabled", re.IGNORECASE)
"""In the pages with which nginx, Go and Apache answer plain HTTP on a port for TLS."""

_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1a\x1c-\x1f]*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer turned out to be."""

    host: str | None = None
    """The hostname on the page."""
    failure: Failure | None = None
    error: str = ""
    """What was there instead of the page, in words; harmless to show."""


class Answer:
    """One answer on its way. `feed` it until it knows; when the connection ends first, ask `ended`."""

    def __init__(self) -> None:
        self._received = 0
        self._pending = bytearray()
        self._body = bytearray()
        self._status = 0
        self._line = ""
        self._headers: dict[str, str] = {}
        self._left: int | None = None
        """Bytes of the body, or of the chunk, still to come; None when only the end of the connection tells."""
        self._chunked = False

    def feed(self, data: bytes) -> Verdict | None:
        """Take what has arrived; None while it is not certain what the answer is."""
        self._received += len(data)
        self._pending += data
        verdict = self._read_head() if not self._status else None
        if verdict is None and self._status:
            verdict = self._read_body()
        if verdict is None and self._received > LONGEST_ANSWER:
            return _wrong(f"An answer longer than {LONGEST_ANSWER // 1024} KiB, which was not read to its end.")
        return verdict

    def ended(self) -> Verdict:
        """What the answer is when nothing more comes."""
        if not self._received:
            return Verdict(failure=Failure.RESET, error="The connection was closed before an answer came.")
        if not self._status and not b"HTTP/".startswith(self._pending[:5]):
            return _not_http(bytes(self._pending))
        if self._status and not self._chunked and self._left is None:
            return self._judge()
        return Verdict(
            failure=Failure.RESET,
            error=f"The connection was closed in the middle of the answer, after {self._received} bytes.",
        )

    def _read_head(self) -> Verdict | None:
        if not b"HTTP/".startswith(self._pending[:5]):
            return _not_http(bytes(self._pending)) if len(self._pending) >= 5 else None
        while end := _HEAD_END.search(self._pending):
            lines = bytes(self._pending[: end.start()]).replace(b"\r\n", b"\n").split(b"\n")
            del self._pending[: end.end()]
            status = _STATUS.match(lines[0])
            if not status:
                return _wrong(f"A status line that is not HTTP/1: “{_shown(lines[0])}”.")
            # An interim answer (100 to 199) is followed by another one.
            if int(status["code"]) >= 200:
                self._status = int(status["code"])
                self._line = _shown(b" ".join((status["code"], status["reason"] or b"")))
                self._headers = _headers(lines[1:])
                return self._judge_head()
        if len(self._pending) > LONGEST_HEAD:
            return _wrong(f"An answer whose headers are longer than {LONGEST_HEAD // 1024} KiB.")
        return None

    def _judge_head(self) -> Verdict | None:
        """What the head alone tells; sets how the body ends."""
        headers = self._headers
        if 300 <= self._status < 400 and "location" in headers:
            return _wrong(
                f"A redirect to {clean(headers['location'], 100)} (HTTP {self._line}), which is not followed."
            )
        # The page that comes with a 400 may say that the port is for TLS.
        if self._status not in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST):
            return _wrong(f"HTTP {self._line} instead of the page.")
        encoding = headers.get("content-encoding", "identity").lower()
        if encoding != "identity":
            return _wrong(f"A body in {clean(encoding, 20)} encoding, which was not asked for and is not decoded.")
        transfer, length = headers.get("transfer-encoding", "").lower(), headers.get("content-length")
        if transfer:
            self._chunked = transfer == "chunked"
            if not self._chunked:
                return _wrong(f"A body in transfer encoding {clean(transfer, 20)}, which is not decoded.")
        elif length is not None:
            if not re.fullmatch(r"[0-9]{1,18}", length):
                return _wrong(f"An answer whose Content-Length is “{clean(length, 20)}”.")
            self._left = int(length)
            if self._left > LONGEST_ANSWER:
                return _wrong(f"A body of {self._left} bytes instead of the page.")
        return None

    def _read_body(self) -> Verdict | None:
        if self._chunked:
            return self._read_chunks()
        taken = len(self._pending) if self._left is None else min(self._left, len(self._pending))
        self._take(taken)
        return self._judge() if self._left == 0 else None

    def _read_chunks(self) -> Verdict | None:
        while True:
            if self._left is None:
                line, newline, _ = self._pending.partition(b"\n")
                size = line.partition(b";")[0].strip()
                if not newline:
                    return _wrong("A damaged chunked body.") if len(line) > LONGEST_HEAD else None
                if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", size):
                    return _wrong("A damaged chunked body.")
                del self._pending[: len(line) + 1]
                self._left = int(size, 16)
                if self._left == 0:
                    return self._judge()
            self._take(min(self._left, len(self._pending)))
            if self._left or b"\n" not in self._pending:
                return None
            if self._pending[:2] != b"\r\n" and self._pending[:1] != b"\n":
                return _wrong("A damaged chunked body.")
            del self._pending[: self._pending.index(b"\n") + 1]
            self._left = None

    def _take(self, count: int) -> None:
        self._body += self._pending[:count]
        del self._pending[:count]
        if self._left is not None:
            self._left -= count

    def _judge(self) -> Verdict:
        """What a whole answer is."""
        body = bytes(self._body)
        if self._status != HTTPStatus.OK:
            if _SPEAKS_TLS.search(body):
                return _TLS
            return _wrong(f"HTTP {self._line} instead of the page.")
        text = _text(body)
        if text is None:
            kind = clean(self._headers.get("content-type"), 40) or "no content type"
            return _wrong(f"A binary body ({kind}) instead of the page.")
        host = host_of(text)
        if host:
            return Verdict(host=host)
        return _wrong(f"Another page: “{page_line(text)}”." if text.strip() else "An empty page.")


_TLS = Verdict(failure=Failure.TLS, error="TLS is spoken on this port; the page is expected over plain HTTP.")


def _wrong(error: str) -> Verdict:
    return Verdict(failure=Failure.WRONG_PAGE, error=error)


def _not_http(data: bytes) -> Verdict:
    if _TLS_RECORD.match(data):
        return _TLS
    text = _text(data)
    return _wrong("Something that is not HTTP" + (f": “{page_line(text)}”." if text else ", and not text."))


def _headers(lines: list[bytes]) -> dict[str, str]:
    """The headers by lower-case name; of several with one name the first."""
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            headers.setdefault(name.strip().lower(), value.strip())
    return headers


def _text(body: bytes) -> str | None:
    """The body as text; None when it is none."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return text if _TEXT.fullmatch(text) else None


def _shown(line: bytes) -> str:
    return clean(line.decode("latin-1"), 60)
