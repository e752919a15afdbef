"""The lab screen: the steps, what is told of the selected one, and the log of what goes on.

It stays when a person goes back to the panes, so that a run goes on; the main screen is told how it goes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message_pump import MessagePump
from textual.reactive import var
from textual.screen import ModalScreen
from textual.types import CSSPathType
from textual.widgets import Static
from textual.worker import Worker

from plstui.domain.errors import PlstuiError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.domain.text import clean, sentence
from plstui.domain.world import World
from plstui.engine.ports import Clock
from plstui.engine.runtime import Runtime
from plstui.lab.effort import StepFailedError
from plstui.lab.progress import StepStatus
from plstui.lab.undo import why_not as undo_why_not
from plstui.tui.commanding import CommandingScreen
from plstui.tui.commands import Keys, bindings
from plstui.tui.details import details_of
from plstui.tui.lab.commands import LAB_COMMANDS, LabContext, LabHost, approve_why_not, guide, is_decision
from plstui.tui.lab.log import KEPT_LINES, LabLog
from plstui.tui.lab.runs import Answer, LabFailed, LabMoved, LabRuns, LabSaid
from plstui.tui.lab.step_table import StepTable, key_of
from plstui.tui.lab.step_view import StepView
from plstui.tui.lab.words import (
    LONGEST,
    LogLine,
    StepText,
    asking,
    az_lines,
    done_steps,
    home_note,
    in_front,
    notice,
    numbers,
    settled,
    step_text,
)
from plstui.tui.lab.work import LabWork
from plstui.tui.messages import DetailsRequested, LabTold
from plstui.tui.state import Line
from plstui.tui.tones import BUSY, BUSY_GLYPH, styled
from plstui.tui.widgets.bars import CommandBar, TopBar
from plstui.tui.widgets.pane import SidePane
from plstui.tui.widgets.table import Table
from plstui.tui.work import work

WIDTHS: Final = [(0, "-narrow"), (120, "-wide")]
HEIGHTS: Final = [(0, "-low"), (40, "-high")]
"""Cells from which there is room for the step beside the list, and for both panes under it."""


class LabScreen(CommandingScreen[LabContext, LabHost]):
    """Folds what the runs report into reactives; widgets are bound to them."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LAB_COMMANDS)]
    CSS_PATH: ClassVar[CSSPathType | None] = ["../styles/widgets.tcss", "screen.tcss", "../styles/dialogs.tcss"]
    AUTO_FOCUS = "#steps"
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS

    statuses: var[tuple[StepStatus, ...]] = var(())
    selected: var[ResourceId | None] = var(None)
    """The row of the selected step."""
    told: var[StepText | None] = var(None)
    """What is told of the selected step."""
    lines: var[tuple[LogLine, ...]] = var(())
    context: var[LabContext] = var(LabContext)
    world: var[World] = var(World)
    read_at: var[Mapping[Side, float]] = var(dict)
    connected: var[bool] = var(True)
    """What the panes ask; nobody gets here before."""

    def __init__(self, runtime: Runtime, where: str, clock: Clock, keys: Keys, home: MessagePump) -> None:
        """`keys` are those of the panes too; `home` is the screen that is told how the lab goes."""
        super().__init__(LAB_COMMANDS, keys, clock)
        self._runtime = runtime
        self._where = where
        self._home = home
        self._guide = guide(keys)
        self._work = LabWork(runtime, clock, self._guide)
        self._runs = LabRuns(self._work, self._ask, self.post_message, keys["lab-down"])
        self._doing = self._again = ""
        self._job: Worker[None] | None = None
        self._deciding = False
        self._reading = False
        """Whether a person has asked where the steps stand, and that is not known yet."""
        self._follows = True
        """Whether the cursor goes where something waits, runs or comes next; until a person moves it."""
        self._trouble: PlstuiError | None = None
        """Why the last thing that was started did not come to its end."""
        self._unready = ""
        """Why the steps may not be as shown, or cannot be built; empty when nothing is wrong."""
        self._told_home = Line()
        self._surveyed: World | None = None
        """Both sides as they were when Azure was last asked about the steps."""

    def compose(self) -> ComposeResult:
        yield TopBar(f"lab  ·  {self._where}").data_bind(LabScreen.now, LabScreen.read_only)
        with Horizontal(id="lab"):
            with Vertical(id="left"):
                yield StepTable(id="steps", classes="frame").data_bind(LabScreen.statuses, cursor=LabScreen.selected)
                with Horizontal(id="sides"):
                    for side in Side:
                        yield SidePane(side).data_bind(
                            LabScreen.world, LabScreen.read_at, LabScreen.steady, LabScreen.connected
                        )
            with Vertical(id="right"):
                yield StepView(self.keys["copy"], id="step", classes="frame").data_bind(LabScreen.told)
                yield LabLog(id="log", classes="frame").data_bind(LabScreen.lines)
        yield Static(id="notice")
        yield CommandBar().data_bind(LabScreen.offers)

    @property
    def host(self) -> LabHost:
        return self

    def on_mount(self) -> None:
        self.query_one("#log").border_title = Content("Log")

    def ticked(self) -> None:
        self._take_sides()

    @on(events.ScreenResume)
    def _take_sides(self) -> None:
        """Show both sides as they are now; whatever has changed there may have moved a step."""
        watchers = self._runtime.watchers
        self.world = self._runtime.world()
        self.read_at = {side: w.answered_at for side, w in watchers.items() if w.answered_at is not None}
        if self.is_current and not self._doing and self.world != self._surveyed:
            self._survey()
        self._refresh()

    # What the runs report

    def _start(self, doing: str, job: Callable[[], Awaitable[None]], again: str = "") -> None:
        # What a look in the background chooses must not take the place of what a person is asked about.
        self.workers.cancel_group(self, "look")
        self._doing, self._again = doing, again or self._guide.up
        self._trouble = None
        self._follows = True
        self._job = self.run_worker(work(self._see_through, job), group="lab", name=doing)
        self._refresh()

    async def _see_through(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except PlstuiError as error:
            self.post_message(LabFailed(error))
        finally:
            self.call_later(self._is_over)

    def _is_over(self) -> None:
        self._work.end()
        self._doing = ""
        self._surveyed = None
        self._take_sides()

    async def _ask(self, question: ModalScreen[Answer]) -> Answer:
        return await self.app.push_screen_wait(question)

    @on(LabSaid)
    def _say(self, event: LabSaid) -> None:
        self.lines = (*self.lines[-KEPT_LINES + 1 :], LogLine(self.clock.now(), event.line, event.step))

    @on(LabMoved)
    def _move(self) -> None:
        self._refresh()

    @on(LabFailed)
    def _tell_failure(self, event: LabFailed) -> None:
        self._trouble, text = event.error, clean(str(event.error), LONGEST)
        if not isinstance(event.error, StepFailedError):
            # Of a step that failed the log has told already.
            self._say(LabSaid(Line(f"✖ {text}", Tone.BAD)))
        refused = isinstance(event.error, RefusedError)
        self.notify(text, title="Lab", severity="warning" if refused else "error", markup=False)
        self._refresh()

    def _refresh(self) -> None:
        """Bring everything that is shown up to date."""
        work, statuses = self._work, self._work.statuses()
        context = LabContext(
            read_only=self._runtime.gate.why_not(),
            statuses=statuses,
            doing=self._doing,
            gate=self._runtime.gate,
            request=work.request(),
            ended=work.ended(),
            has_endpoint=work.has_endpoint(),
            has_address=work.has_address(),
            has_groups=work.has_groups(),
            keys=self.keys,
        )
        front = in_front(context)
        if front and (self._follows or self.selected not in {key_of(status.step) for status in statuses}):
            self.selected = key_of(front)
        self.read_only = bool(context.gate and context.gate.read_only)
        self.statuses = statuses
        status = next((status for status in statuses if key_of(status.step) == self.selected), None)
        self.told = (
            step_text(
                work.workshop,
                status,
                work.seen,
                under_way=work.under_way,
                results=work.results,
                teardown=work.teardown,
            )
            if status
            else None
        )
        self.context = replace(
            context,
            selected=status.step if status else None,
            undo_why_not=undo_why_not(work.workshop, work.seen, status.step) if status else None,
            az=bool(status and az_lines(work.workshop, status.step, work.teardown)),
        )
        self.lines = settled(self.lines, statuses)
        if isinstance(self._trouble, StepFailedError) and self._trouble.step.id in done_steps(statuses):
            self._trouble = None
        if self.is_mounted:
            self._show_progress()

    def _show_progress(self) -> None:
        count = f"  {len(done_steps(self.statuses))} of {len(self.statuses)} steps done" if self.statuses else ""
        steps = self.query_one("#steps")
        steps.border_title = Content.assemble(Content("Lab"), styled(count, Tone.QUIET))
        steps.border_subtitle = styled(f"{BUSY_GLYPH} {self._doing}…", BUSY) if self._doing else Content("")
        wrong = clean(str(self._trouble), LONGEST) if self._trouble else self._unready
        asked = asking(self.context, deciding=self._deciding, reading=self._reading)
        text = notice(self.context, asked, wrong)
        self.query_one("#notice", Static).update(styled(text.text, text.tone))
        self.query_one("#notice").display = bool(text.text)
        # Let the main screen say how far a run is.
        if (note := home_note(self.context)) != self._told_home:
            self._told_home = note
            self._home.post_message(LabTold(note))

    # What commands ask for

    def do_next(self) -> None:
        status = self.context.next
        if status is None:
            return
        self._select_row(key_of(status.step))
        if status.step.opens_page:
            self.open_page()
        elif is_decision(status.step) and not approve_why_not(self.context):
            self.approve()
        else:
            steps = (status.step,)
            self._start(numbers(steps), partial(self._runs.build, steps))

    def do_until_here(self) -> None:
        last = self.context.selected
        steps = self._work.wanted(last)
        if last and steps:
            self._start(numbers(steps), partial(self._runs.build, steps))

    def approve(self) -> None:
        if not self._deciding:
            self._deciding = True
            self._refresh()
            self.run_worker(work(self._decide), name="approve the lab's request")

    async def _decide(self) -> None:
        try:
            await self._runs.approve()
        except PlstuiError as error:
            self.post_message(LabFailed(error))
        finally:
            self._deciding = False
            self.call_later(self._take_sides)

    def open_page(self) -> None:
        self._start("the page", self._runs.open_page, f"press {self.keys['lab-page']} to open it again")

    def undo(self) -> None:
        if step := self.context.selected:
            self._start(f"undoing step {step.number}", partial(self._runs.undo, step), self._guide.undo)

    def tear_down(self) -> None:
        self._start("taking the lab down", self._runs.tear_down, self._guide.down)

    def stop(self) -> None:
        still = ", ".join(clean(what, 120) for what in self._work.under_way.values())
        still = f"Azure is still at work on: {still}. " if still else ""
        if self._job:
            self._job.cancel()
        said = f"Stopped waiting. {still}{sentence(self._again)}"
        self._say(LabSaid(Line(said, Tone.WAITING)))
        self.notify(said, title="Lab", severity="warning", markup=False)

    def refresh_all(self) -> None:
        self._trouble = None
        self._reading = True
        self._survey()
        self._refresh()

    def _survey(self) -> None:
        self._surveyed = self.world
        self.run_worker(work(self._look), group="look", exclusive=True, name="survey")

    async def _look(self) -> None:
        try:
            await self._runs.look()
        except PlstuiError as error:
            self._unready = clean(str(error), LONGEST)
        else:
            self._unready = ""
        finally:
            self._reading = False
        self.post_message(LabMoved())

    def toggle_step(self) -> None:
        self.toggle_class("-opened")

    def copy_az(self) -> None:
        selected = self.context.selected
        if selected:
            lines = az_lines(self._work.workshop, selected, self._work.teardown)
            self.app.copy_to_clipboard("\n".join(lines))
            what = "One az command is" if len(lines) == 1 else f"{len(lines)} az commands are"
            self.notify(f"{what} in the clipboard, if your terminal allows that.", markup=False)

    def next_area(self) -> None:
        self.focus_next()

    def go_back(self) -> None:
        if self.has_class("-opened"):
            self.remove_class("-opened")
        else:
            self.app.pop_screen()

    def running(self) -> Iterable[tuple[str, str]]:
        """What the lab is busy with."""
        return (("Lab", self._doing),) if self._doing else ()

    # Messages of the widgets

    def run_command(self, command_id: str) -> None:
        """Do it with the step that is selected now, or say why not."""
        self._select()
        super().run_command(command_id)

    @on(Table.Highlighted)
    def _select(self) -> None:
        # As it is now: a message tells of a cursor that may have moved since, and keys come without waiting for one.
        cursor = self.query_one(StepTable).cursor
        if cursor != self.selected:
            self._follows = False
            self._select_row(cursor)

    def show_step(self, step_id: str) -> None:
        """Select a step, also before it is known where it stands; without one, what waits, runs or comes next."""
        self._follows = not step_id
        if step_id:
            self._select_row(key_of(self._work.workshop.step(step_id)))

    def _select_row(self, key: ResourceId | None) -> None:
        if key != self.selected:
            self.selected = key
            self._refresh()

    @on(Table.Selected)
    def _open(self) -> None:
        self.toggle_step()

    @on(DetailsRequested)
    def _show_details(self, event: DetailsRequested) -> None:
        self.open_details(details_of(self.world, event.resource_id))
