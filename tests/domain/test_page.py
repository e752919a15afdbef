"""The page a backend serves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plstui.domain.page import host_of, page_line


@pytest.mark.parametrize(
    ("body", "host"),
    [
        ("Host: web1", "web1"),
        ("Host: web1\n", "web1"),
        ("\r\n Host:web-2.example \r\n", "web-2.example"),
        ("Host: ", None),
        ("host: web1", None),
        ("Host: web1 web2", None),
        ("Host: web1\nHost: web2", None),
        ("Host: -web1", None),
        ("Host: web1\x1b[2J", None),
        ("Host: " + "a" * 65, None),
        ("Host: " + "a" * 64, "a" * 64),
        ("<html>Host: web1</html>", None),
        ("", None),
    ],
)
def test_only_the_page_of_a_backend_names_a_host(body: str, host: str | None) -> None:
    assert host_of(body) == host


@given(st.text())
def test_a_host_is_always_harmless(body: str) -> None:
    host = host_of(f"Host: {body}")

    assert host is None or (host.isascii() and host.isprintable() and " " not in host)


def test_any_page_can_be_shown() -> None:
    assert page_line("<h1>\x1b[31mIt works!</h1>\n" + "x" * 1000).startswith("<h1>[31mIt works!</h1> x")
