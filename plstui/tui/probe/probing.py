"""One run of the probe. Nothing is shown from here: the section hears of it by message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from plstui.domain.errors import PlstuiError
from plstui.domain.probe import Target, TargetResult
from plstui.domain.text import clean
from plstui.engine.runtime import Runtime
from plstui.tui.messages import Troubled


@dataclass
class ProbeWidened(Message):
    """The running probe has one target more."""

    target: Target


@dataclass
class ProbeAnswered(Message):
    """One target of the running probe is done."""

    result: TargetResult


@dataclass
class ProbeOver(Message):
    """The running probe has come to its end."""

    trouble: str = ""
    """Why it was cut short; empty when every target was asked."""


async def probe(runtime: Runtime, wanted: tuple[Target, ...], tell: Callable[[Message], object]) -> None:
    """Ask every target for its page, and tell what each answers as soon as it does."""
    # Not before: this brings the settings' library, which the first frame does not wait for.
    from plstui.lab.session import known_name

    try:
        if name := await known_name(runtime, wanted):
            wanted = (*wanted, name)
            tell(ProbeWidened(name))
        async for result in runtime.prober.probe(wanted, runtime.probe_count):
            tell(ProbeAnswered(result))
    except PlstuiError as error:
        tell(ProbeOver(clean(str(error), 300)))
        tell(Troubled(error, "Probe"))
    else:
        tell(ProbeOver())
