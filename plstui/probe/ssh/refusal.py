"""What a jump machine says when it cannot connect to a target → what is wrong with the target."""

from __future__ import annotations

import re

from paramiko.common import (
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
)

from plstui.domain.probe import Failure
from plstui.domain.text import clean
from plstui.probe.errnos import FAILURES
from plstui.probe.fetch import ConnectError

_WORDS = (
    (re.compile(r"refused", re.IGNORECASE), Failure.REFUSED),
    (re.compile(r"timed out|time-?out", re.IGNORECASE), Failure.TIMEOUT),
    (re.compile(r"no route|unreachable|host is down", re.IGNORECASE), Failure.NO_ROUTE),
    (re.compile(r"reset", re.IGNORECASE), Failure.RESET),
    (
        re.compile(r"not known|name resolution|no address|name or service|could not resolve", re.IGNORECASE),
        Failure.NOT_FOUND,
    ),
)
"""Words of strerror and gai_strerror, which OpenSSH's sshd hands through."""

_NUMBER = re.compile(r"\[Errno (?P<number>-?\d+)\]")
"""Servers written in Python give the number and words of their own."""


def explain(code: int, words: str) -> ConnectError:
    """The failure behind the code and the words with which a channel was refused."""
    said = clean(words, 100)
    if code == OPEN_FAILED_CONNECT_FAILED:
        return ConnectError(_kind(words), f"The jump machine could not connect: {said or 'it does not say why'}.")
    if code == OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
        return ConnectError(
            Failure.JUMP,
            "The jump machine does not forward there: AllowTcpForwarding or PermitOpen in its sshd_config forbids it"
            + (f" ({said})." if said else "."),
        )
    if code == OPEN_FAILED_RESOURCE_SHORTAGE:
        return ConnectError(Failure.JUMP, f"The jump machine has no room for another connection ({said}).")
    return ConnectError(Failure.JUMP, f"The jump machine does not forward connections ({said or f'code {code}'}).")


def _kind(words: str) -> Failure:
    number = _NUMBER.search(words)
    if number and (kind := FAILURES.get(int(number["number"]))):
        return kind
    # What is not understood was all the same no connection; the words are shown.
    return next((kind for pattern, kind in _WORDS if pattern.search(words)), Failure.REFUSED)
