"""Targets → the script that probes them from inside a machine, so written that what it prints fits into 4,096 bytes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from plstui.config.settings import Probe
from plstui.domain.probe import Target

SHOWN = 4096
"""Bytes of a script's output that Azure hands over: its end."""

MOST_TARGETS = 20
"""Targets of one script; with more there would not be room for two attempts each."""

_LINE = 54
"""Bytes of a target's line without its attempts."""

_LONGEST_ATTEMPT = 84
"""Bytes of the page of a machine with the longest name."""

_END = 30

USABLE = re.compile(r"[A-Za-z0-9._:-]+")
"""What may stand in an address; anything else would be more than a word in the script."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a script is to find out. Its targets are known by their place in the list."""

    nonce: str
    """Eight hexadecimal digits that stand in every line."""
    targets: Sequence[Target]
    count: int
    probe: Probe

    @property
    def room(self) -> int:
        """Bytes of a target's attempts after which no other is printed."""
        return max(1, (SHOWN - _END) // len(self.targets) - _LINE - _LONGEST_ATTEMPT)

    @property
    def total(self) -> float:
        """Seconds that one attempt may take."""
        return self.probe.connect_timeout + self.probe.read_timeout

    @property
    def seconds(self) -> int:
        """Seconds that the script may take: on Linux, where one attempt came too late the others are made at once; on
        Windows 64 are made at once."""
        return round((2 + len(self.targets) * self.count // 64) * self.total) + 15


def shell_script(asked: Asked) -> str:
    """The script for Linux: curl or Python 3, whichever is there."""
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in _values(asked).items())
    body = _text("probe.sh").replace("#PYTHON#\n", _text("fallback.py"))
    return f"#!/bin/sh\n{head}{body}"


def powershell_script(asked: Asked) -> str:
    """The script for Windows PowerShell 5.1, which is in every Windows Server since 2016."""
    numbers = ("connect", "total", "count", "room")
    # No value has a quote in it.
    values = {name: value if name in numbers else f"'{value}'" for name, value in _values(asked).items()}
    return "".join(f"${name} = {value}\n" for name, value in values.items()) + _text("probe.ps1")


def is_probe(script: str) -> bool:
    """Whether a script is one of the two above."""
    return script.startswith(("#!/bin/sh\nnonce=", "$nonce = '"))


def _values(asked: Asked) -> dict[str, str]:
    return {
        "nonce": asked.nonce,
        "connect": f"{asked.probe.connect_timeout:g}",
        "total": f"{asked.total:g}",
        "count": str(asked.count),
        "room": str(asked.room),
        "targets": " ".join(f"{place},{each.address},{each.port}" for place, each in enumerate(asked.targets)),
    }


def _text(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
