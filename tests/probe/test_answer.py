"""What an HTTP answer is taken for, whoever sent it and in whatever pieces it came."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.domain.probe import Failure
from plstui.domain.text import clean
from plstui.probe.answer import LONGEST_ANSWER, LONGEST_HEAD, Answer, Verdict
from tests.probe.servers import page

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def judge(data: bytes, *, size: int = LONGEST_ANSWER * 2) -> tuple[Verdict, int]:
    """What an answer is that comes in pieces of a size and then ends; and how many bytes it took to know."""
    answer = Answer()
    for start in range(0, len(data), size):
        if verdict := answer.feed(data[start : start + size]):
            return verdict, min(len(data), start + size)
    return answer.ended(), len(data)


@pytest.mark.parametrize(
    "answer",
    [
        page("web1"),
        b"HTTP/1.0 200 OK\r\n\r\nHost: web1",
        b"HTTP/1.1 200\r\nContent-Length: 11\r\n\r\nHost: web1\n",
        b"HTTP/1.1 200 OK\nContent-Length: 10\n\nHost: web1",
        OK + b"CONTENT-LENGTH:10\r\n\r\nHost: web1 and what does not belong to it",
        OK + b"Content-Encoding: identity\r\n\r\nHost: web1",
        CHUNKED + b"6\r\nHost: \r\n4;name=value\r\nweb1\r\n0\r\n\r\n",
        CHUNKED + b"A\nHost: web1\n0\n\n",
        CHUNKED + b"a\r\nHost: web1\r\n0\r\nTrailer: x",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + page("web1"),
        OK + b"damaged header\r\n: nameless\r\n\r\nHost: web1",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_page_in_every_form_that_http_allows(answer: bytes, size: int) -> None:
    assert judge(answer, size=size)[0] == Verdict(host="web1")


def test_a_page_that_says_its_length_is_known_before_the_connection_ends() -> None:
    answer = Answer()
    assert answer.feed(page("web1")) == Verdict(host="web1")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "HTTP 404 Not Found instead of the page."),
        (b"HTTP/1.1 503\r\n\r\n", "HTTP 503 instead of the page."),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "HTTP 204 No Content instead of the page."),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://evil/\x1b[2J\r\n\r\n",
            "A redirect to http://evil/[2J (HTTP 302 Found), which is not followed.",
        ),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "HTTP 304 Not Modified instead of the page."),
        (b"HTTP/1.1 400 Bad Request\r\n\r\nno", "HTTP 400 Bad Request instead of the page."),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n<center>The plain HTTP request was sent to HTTPS port</center>",
            "TLS is spoken on this port; the page is expected over plain HTTP.",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS is spoken on this port; the page is expected over plain HTTP."),
        (OK + b"\r\nWelcome to nginx!", "Another page: “Welcome to nginx!”."),
        (OK + b"\r\nHost: web1\r\nHost: web2", "Another page: “Host: web1 Host: web2”."),
        (OK + b"\r\nHost: \x1b[31mweb1\xe2\x80\xae", "Another page: “Host: [31mweb1”."),
        (OK + b"\r\n", "An empty page."),
        (OK + b"Content-Length: 0\r\n\r\n", "An empty page."),
        (
            OK + b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00",
            "A binary body (image/png) instead of the page.",
        ),
        (OK + b"\r\nHost: web1\x00", "A binary body (no content type) instead of the page."),
        (
            OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"Host: web1", mtime=0),
            "A body in gzip encoding, which was not asked for and is not decoded.",
        ),
        (OK + b"Transfer-Encoding: gzip\r\n\r\n", "A body in transfer encoding gzip, which is not decoded."),
        (OK + b"Content-Length: 10485760\r\n\r\n", "A body of 10485760 bytes instead of the page."),
        (OK + b"Content-Length: -1\r\n\r\n", "An answer whose Content-Length is “-1”."),
        (CHUNKED + b"xyz\r\n", "A damaged chunked body."),
        (CHUNKED + b"4\r\nHost: web1\r\n0\r\n\r\n", "A damaged chunked body."),
        (b"HTTP/2 200 OK\r\n\r\n", "A status line that is not HTTP/1: “HTTP/2 200 OK”."),
        (b"HTTP/1.1 999999\r\n\r\n", "A status line that is not HTTP/1: “HTTP/1.1 999999”."),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "Something that is not HTTP: “SSH-2.0-OpenSSH_9.2”."),
        (b"hi", "Something that is not HTTP: “hi”."),
        (b"\x00\x00\x12\x04\x00\x00", "Something that is not HTTP, and not text."),
        (
            OK + b"X: " + b"x" * LONGEST_HEAD,
            "An answer whose headers are longer than 16 KiB.",
        ),
        (OK + b"\r\n" + b"x" * LONGEST_ANSWER, "An answer longer than 64 KiB, which was not read to its end."),
        (
            CHUNKED + b"1\r\nx\r\n" * LONGEST_ANSWER,
            "An answer longer than 64 KiB, which was not read to its end.",
        ),
        (
            CHUNKED + b"fffffffff\r\n" + b"x" * LONGEST_ANSWER,
            "An answer longer than 64 KiB, which was not read to its end.",
        ),
    ],
)
def test_what_is_not_the_page_is_said_in_words(answer: bytes, error: str) -> None:
    verdict, _ = judge(answer)
    kind = Failure.TLS if error.startswith("TLS ") else Failure.WRONG_PAGE
    assert verdict == Verdict(failure=kind, error=error)


@pytest.mark.parametrize("start", [OK + b"\r\n", OK + b"X-Padding: ", CHUNKED + b"ffffffff\r\n", CHUNKED, b""])
def test_whatever_goes_on_without_end_is_left_soon(start: bytes) -> None:
    verdict, taken = judge(start + b"0" * 10_000_000, size=1000)
    assert verdict.failure is Failure.WRONG_PAGE
    assert taken <= LONGEST_ANSWER + 2000


@pytest.mark.parametrize("answer", [page("web1"), CHUNKED + b"a\r\nHost: web1\r\n0\r\n"])
def test_an_answer_that_is_cut_off_is_never_taken_for_the_page(answer: bytes) -> None:
    assert judge(answer)[0].host == "web1"
    assert judge(b"")[0].error == "The connection was closed before an answer came."
    for length in range(6, len(answer)):
        verdict, _ = judge(answer[:length])
        if verdict.host is None:
            assert verdict.failure is Failure.RESET
            assert verdict.error.endswith(f"in the middle of the answer, after {length} bytes.")
        else:
            # All of the page was there, and only what ends a chunked body was not.
            assert answer[:length].endswith((b"Host: web1\r\n0\r", b"0"))


HEADERS = st.sampled_from(
    [
        b"Content-Length: 10\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Location: /\r\n",
        b"Content-Encoding: br\r\n",
        b"\r\n",
    ]
)
ANSWERS = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda status, headers, body: b"HTTP/1.1 " + status + b"\r\n" + b"".join(headers) + b"\r\n" + body,
        st.sampled_from([b"200 OK", b"400 Bad", b"302 Found", b"100 Go on"]),
        st.lists(HEADERS, max_size=3),
        st.one_of(st.binary(max_size=100), st.sampled_from([b"Host: web1", b"a\r\nHost: web1\r\n0\r\n\r\n"])),
    ),
)


@given(data=ANSWERS, size=st.integers(1, 40))
def test_whatever_comes_gets_a_harmless_verdict_that_does_not_depend_on_the_pieces(data: bytes, size: int) -> None:
    whole, _ = judge(data)
    in_pieces, _ = judge(data, size=size)
    assert (whole.host is None) == (whole.failure is not None) == bool(whole.error)
    assert whole.error == clean(whole.error, 1000)
    assert (in_pieces.host, in_pieces.failure) == (whole.host, whole.failure)
