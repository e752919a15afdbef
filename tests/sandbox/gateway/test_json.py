from __future__ import annotations

import asyncio
from typing import Any

import pytest

from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields, read
from tests.sandbox.support import sandbox

SCHEMA = {"$schema": "http://x//y"}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"", None),
        (b" \r\n", None),
        (b'{"a": [1, 2.5, true, null, "\\u00e9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (b'{"p": {"mode": "x", template:{\r\n"$schema": "http://x//y"}}}', {"p": {"mode": "x", "template": SCHEMA}}),
        (b'{ // a remark, }\n "a": /* { */ 1, }', {"a": 1}),
        (b'{a: [1, 2, /* last */ ], $b1: "x, ]"}', {"a": [1, 2], "$b1": "x, ]"}),
        (b'{"a": "two\nlines"}', {"a": "two\nlines"}),
        (b'"\\ud83d\\ude00"', "😀"),
    ],
)
def test_what_arm_takes_for_json(content: bytes, value: Any) -> None:
    assert read(content) == value


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nonsense",
        b"\xff\xfe{",
        b'{"a": NaN}',
        b"{a: Infinity}",
        b"[1e999]",
        b'"\\ud800"',
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b"/* never closed",
        b'"' + b'\\"' * 1000,
    ],
)
def test_what_arm_refuses(content: bytes) -> None:
    with pytest.raises(ArmError) as refused:
        read(content)
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequestContent")


def test_what_is_not_plain_is_read_up_to_a_size() -> None:
    with pytest.raises(ArmError, match="not valid JSON"):
        read(b"," * 4_000_000)


@pytest.mark.parametrize("name", ["objects", "texts", "items"])
def test_an_array_has_so_many_items(name: str) -> None:
    with pytest.raises(ArmError, match=r"no more than 1000 items at 'p\.many'"):
        getattr(Fields({"p": {"many": ["x"] * 1_001}}).fields("p"), name)("many")


async def test_a_large_request_keeps_nobody_waiting() -> None:
    alone = sandbox()
    large = asyncio.ensure_future(alone.isv.call("PUT", alone.isv.group("g"), b"[" + b"{}," * 1_300_000 + b"{}]"))
    # It has been begun when the next one is.
    await asyncio.sleep(0)
    assert (await alone.isv.call("GET", alone.isv.group("g"))).status == 404
    assert not large.done()
    assert (await large).status == 400
