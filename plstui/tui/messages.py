"""What the parts of the interface tell each other, always upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from plstui.domain.errors import PlstuiError
    from plstui.domain.ids import ResourceId
    from plstui.domain.snapshot import Snapshot
    from plstui.engine.runtime import Runtime
    from plstui.tui.commands import Offer
    from plstui.tui.details import Details
    from plstui.tui.state import Line


@dataclass
class Painted(Message):
    """The first frame is on the screen."""


@dataclass
class Connected(Message):
    """The sides can be read now."""

    runtime: Runtime


@dataclass
class Failed(Message):
    """There is nothing this session could show."""

    error: PlstuiError


@dataclass
class SnapshotFetched(Message):
    """A watcher has looked at its side, with or without success."""

    snapshot: Snapshot


@dataclass
class Probed(Message):
    """The probe has come further than its section has told before."""


@dataclass
class LabTold(Message):
    """How the lab goes, in a few words; empty while nothing goes on."""

    note: Line


@dataclass
class Said(Message):
    """Something happened that the activity is to show."""

    text: str
    """One harmless line."""
    tone: str = ""


@dataclass
class Troubled(Message):
    """What a person has asked for could not be done."""

    error: PlstuiError
    title: str
    """What was asked for, in a few harmless words."""


@dataclass
class WritesMoved(Message):
    """Other writes are under way than before."""


@dataclass
class ResourceHighlighted(Message):
    """The cursor moved to a resource: a row of a tree, or a connection."""

    resource_id: ResourceId


@dataclass
class FilterTyped(Message):
    """The connections are to be filtered by other words."""

    text: str


@dataclass
class FilterLeft(Message):
    """Nobody types any more; the filter stays as it is."""


@dataclass
class DetailsRequested(Message):
    """Somebody wants to see everything about a resource."""

    resource_id: ResourceId


@dataclass
class OpenDetails(Message):
    """The details of something are to be shown."""

    details: Details


@dataclass
class OpenHelp(Message):
    """The help is to be shown."""

    offers: tuple[Offer, ...]


@dataclass
class OpenLab(Message):
    """The lab is to be shown."""

    step: str = ""
    """The id of the step to begin at; empty for what waits, runs or comes next."""


@dataclass
class CommandChosen(Message):
    """A command was clicked or picked from the palette."""

    command_id: str


@dataclass
class SectionChosen(Message):
    """A section's tab was clicked."""

    section_id: str


@dataclass
class LinesWanted(Message):
    """A section has something else to say, which takes so many lines without its frame."""

    section_id: str
    lines: int
