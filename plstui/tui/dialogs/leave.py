"""What runs when somebody wants to leave, and the question whether to leave it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from plstui.domain.change import Change
from plstui.domain.connection import CONNECTION_TYPE, endpoint_name_of
from plstui.domain.text import clean
from plstui.engine.runtime import Runtime
from plstui.tui.dialogs.question import QuestionScreen
from plstui.tui.state import ProbeRun

Running = tuple[str, str]
"""A kind of work that goes on, and what of it, both harmless."""

RUN_COMMAND = "Microsoft.Compute/virtualMachines/runCommands"
"""A script as a resource of its own, which plstui removes when it has ended."""

SCRIPT = frozenset({"probe", "clean up"})
"""The verbs of writes that run a script in a machine, or remove it again."""


class LeaveScreen(QuestionScreen):
    """Leave all the same? The key that asks is also the one that says yes."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "yes", "Leave", id="quit")]

    def __init__(self, running: Sequence[Running]) -> None:
        facts = [(name, Content(text)) for name, text in running]
        super().__init__(
            "Leave while this runs?",
            facts,
            "Leave",
            no="Stay",
            warning="What Azure has been asked to do goes on there. Everything else ends, and nothing more is asked.",
        )


def under_way(runtime: Runtime, probe: ProbeRun) -> Iterator[Running]:
    """What goes on in Azure and in machines on behalf of the panes; what only reads can be left at any time."""
    for change in runtime.gate.under_way:
        yield _write(change)
    if probe.running:
        yield "Probe", f"{len(probe.results)} of {len(probe.targets)} targets have answered"


def _write(change: Change[Any, Any]) -> Running:
    place = change.target
    if change.verb not in SCRIPT:
        name = endpoint_name_of(place.name) if place.is_type(CONNECTION_TYPE) else place.name
        return "Write", f"{change.verb} {clean(name, 80)}"
    if place.is_type(RUN_COMMAND) and place.parent:
        return "Script", f"in {clean(place.parent.name, 80)}; left now, it may stay there"
    return "Script", f"in {clean(place.name, 80)}"
