"""plstui on a stage: an app on a cloud in memory, the keys that are pressed, and what a person then sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.pilot import Pilot
from textual.strip import Strip

from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.world import World
from plstui.engine.runtime import Runtime
from plstui.tui.app import PlstuiApp
from plstui.tui.themes import DEFAULT
from plstui.tui.tones import VARIABLES
from tests.support.clock import TurnedClock
from tests.support.cloud import Cloud, Prober, runtime

PATIENCE = 60.0
"""Seconds until something that does not come is a failure; far more than it takes, for a machine that is busy."""


@dataclass(frozen=True)
class Sight:
    """One look at the screen."""

    strips: tuple[Strip, ...]

    @property
    def lines(self) -> list[str]:
        """The characters of each line."""
        return [strip.text for strip in self.strips]

    @property
    def text(self) -> str:
        """The characters of the whole screen."""
        return "\n".join(self.lines)

    def line(self, *texts: str) -> str:
        """The first line that holds all these texts."""
        found = [line for line in self.lines if all(text in line for text in texts)]
        assert found, f"no line with {texts} in:\n{self.text}"
        return found[0]

    def style(self, text: str, *, in_line_with: str = "") -> Style:
        """How the first occurrence of a text is painted."""
        for strip in self.strips:
            at = strip.text.find(text)
            if at < 0 or in_line_with not in strip.text:
                continue
            for segment in strip:
                if at < len(segment.text):
                    assert segment.style is not None
                    return segment.style
                at -= len(segment.text)
        raise AssertionError(f"{text!r} is not on the screen:\n{self.text}")


def look(app: App[None]) -> Sight:
    """What stands on the screen now, a dialog over the panes included."""
    # Textual has no public way to read the screen back but a picture; this is what its own screenshots are made from.
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    return Sight(tuple(Strip.join(line) for line in update.strips))  # type: ignore[union-attr]


class Play:
    """A running app."""

    def __init__(self, app: PlstuiApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def see(self) -> Sight:
        """What a person sees now."""
        return look(self.app)

    async def press(self, *keys: str) -> Sight:
        """Press keys and let the app settle."""
        await self.pilot.press(*keys)
        await self.pilot.pause()
        return self.see()

    async def until(self, met: Callable[[], object], what: str = "") -> None:
        """Let the app run until a condition is met."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not met():
                    await self.pilot.pause()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what or met}; the screen shows:\n{self.see().text}") from None

    async def shows(self, *texts: str, gone: tuple[str, ...] = ()) -> Sight:
        """Let the app run until the screen shows all these texts and none of those."""

        def shown() -> bool:
            text = self.see().text
            return all(wanted in text for wanted in texts) and not any(other in text for other in gone)

        await self.until(shown, f"{texts} without {gone}")
        return self.see()

    def colour(self, tone: str) -> Color:
        """The colour the theme gives a tone."""
        return Color.parse(self.app.get_css_variables()[VARIABLES[tone].removeprefix("$")])

    def is_red(self, text: str, *, in_line_with: str = "") -> bool:
        """Whether a text is painted in the colour of bad states."""
        colour = self.see().style(text, in_line_with=in_line_with).color
        return colour is not None and colour.triplet == self.colour(Tone.BAD).rich_color.triplet


class Stage(Play):
    """A running app on a cloud in memory, with everything it stands on."""

    def __init__(
        self, app: PlstuiApp, pilot: Pilot[None], cloud: Cloud, clock: TurnedClock, prober: Prober, journal: Path
    ) -> None:
        super().__init__(app, pilot)
        self.cloud = cloud
        self.clock = clock
        self.prober = prober
        self.journal = journal

    async def turn(self, seconds: float) -> Sight:
        """Let time pass, in steps of a second as the app's own clock ticks, and let the app settle."""
        while seconds > 0:
            self.clock.turn(min(1.0, seconds))
            seconds -= 1.0
            await self.pilot.pause()
        return self.see()


@asynccontextmanager
async def stage(
    world: World,
    *,
    size: tuple[int, int] = (100, 30),
    read_only: bool = False,
    probe_count: int = 12,
    connect: Callable[[Runtime], Runtime] | None = None,
    theme: str = DEFAULT,
    before: Callable[[Cloud], None] | None = None,
    filled: bool = True,
    keys: Mapping[str, str] = MappingProxyType({}),
) -> AsyncIterator[Stage]:
    """Run the app on a world; `filled` waits until both panes have been read, and the health where it can be told.

    `connect` may change the runtime or raise what connecting may raise; `before` prepares the cloud.
    """
    clock, cloud = TurnedClock(), Cloud(world)
    prober = Prober(cloud)
    if before:
        before(cloud)
    with TemporaryDirectory() as directory:
        journal = Path(directory) / "journal.jsonl"

        async def open_runtime() -> Runtime:
            made = runtime(cloud, prober, clock, journal, read_only=read_only, probe_count=probe_count)
            return connect(made) if connect else made

        app = PlstuiApp(open_runtime, where="sandbox pending", clock=clock, theme=theme, keys=keys)
        async with app.run_test(size=size, notifications=True) as pilot:
            play = Stage(app, pilot, cloud, clock, prober, journal)
            if filled:
                await play.until(lambda: "reading" not in play.see().text and "Watching" in _told(app), "both sides")
                await play.until(lambda: _health_is_shown(app, cloud), "the members' health")
                await pilot.pause()
            yield play


def _health_is_shown(app: PlstuiApp, cloud: Cloud) -> bool:
    """Whether all that the cloud tells about health has arrived: it is asked for beside the other reads."""
    told, seen = cloud.sides.get(Side.ISV), getattr(app.screen_stack[0], "world", World()).isv
    silent = Side.ISV in cloud.faults or cloud.health_fault or not cloud.health_told.is_set()
    return bool(silent) or told is None or (seen is not None and seen.health == told.health)


def _told(app: PlstuiApp) -> str:
    return " ".join(event.text for event in getattr(app.screen_stack[0], "happened", ()))
