"""What the lab screen works with: the lab as last surveyed, the run that is on, and what earlier runs left to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

from plstui.domain.connection import APPROVED
from plstui.domain.ids import ResourceId
from plstui.domain.probe import TargetResult
from plstui.domain.world import Link
from plstui.engine.ports import Clock
from plstui.engine.runtime import Runtime
from plstui.lab import keys
from plstui.lab.checks import regions
from plstui.lab.guide import Guide
from plstui.lab.inventory import Inventory, take_stock
from plstui.lab.lab import Lab
from plstui.lab.machines import new_password
from plstui.lab.parts import Step, StepState, Survey, Wait
from plstui.lab.preflight import preflight
from plstui.lab.progress import StepStatus, Tell, assess, silent
from plstui.lab.reading import Say
from plstui.lab.runner import Run
from plstui.lab.session import lab_of, open_page, page_verdict, subscriptions
from plstui.lab.steps import Choices, Workshop
from plstui.lab.teardown import Teardown
from plstui.lab.undo import Undo


class LabWork:
    """Knows no widget: whoever owns it asks for `statuses` after anything has happened."""

    def __init__(self, runtime: Runtime, clock: Clock, guide: Guide) -> None:
        self.runtime = runtime
        self._clock = clock
        self._guide = guide
        self.subscriptions = subscriptions(runtime)
        settings = runtime.lab
        # Until the region was asked what it offers, the commands name what is not known yet.
        unknown = Choices(region=regions.normal(settings.region), size="SIZE", public_key="PUBLIC_KEY", run="RUN")
        self.lab = self._made(unknown)
        self.survey: Survey | None = None
        """None before Azure was asked."""
        self.run: Run | None = None
        """The run that is on."""
        self.teardown: Teardown | None = None
        """The same the other way round."""
        self.undoing: Undo | None = None
        """The same for one step."""
        self.results: tuple[TargetResult, ...] = ()
        """What the last opening of the page brought."""
        self.opening = False
        """Whether the page is being fetched."""
        self._page: str | None = None
        self._past: dict[str, StepStatus] = {}
        """What earlier runs have to tell of steps."""

    def _made(self, choices: Choices) -> Lab:
        return replace(lab_of(self.runtime, choices, self._guide), clock=self._clock)

    @property
    def workshop(self) -> Workshop:
        """The steps, with whatever was chosen last."""
        return self.lab.workshop

    @property
    def under_way(self) -> Mapping[ResourceId, str]:
        """The writes that Azure has not answered yet, in words."""
        effort = self.run or self.teardown or self.undoing
        return effort.under_way if effort else {}

    @property
    def seen(self) -> Survey:
        """What Azure was last seen to hold."""
        return self.run.survey if self.run else self.survey or Survey()

    def statuses(self) -> tuple[StepStatus, ...]:
        """Where the steps stand; empty before Azure was asked."""
        if self.teardown:
            return self.teardown.statuses()
        if self.run:
            return tuple(map(self._with_past, self.run.statuses(self._page)))
        if self.undoing:
            return self.undoing.statuses()
        if self.survey is None:
            return ()
        return tuple(map(self._with_past, assess(self.workshop.steps, self.survey, page=self._page)))

    def _with_past(self, status: StepStatus) -> StepStatus:
        if status.step.opens_page and self.opening:
            return replace(status, state=StepState.RUNNING, because="not everybody has answered yet")
        past = self._past.get(status.step.id)
        if past is None or status.seconds:
            return status
        if past.state is StepState.FAILED and status.state is StepState.NEEDED:
            status = replace(status, state=StepState.FAILED, because=past.because)
        return replace(status, seconds=past.seconds, writes=past.writes)

    async def look(self, tell: Tell = silent) -> None:
        """Find out what Azure holds; `tell` hears of what is asked for again. Raises `PlstuiError`."""
        self._take(await self.lab.survey(tell, partial=True))

    def _take(self, survey: Survey) -> None:
        """From now on this is what Azure was last seen to hold."""
        self.survey = survey
        request = self.request()
        if request is None or request.status != APPROVED:
            self.forget_page()

    async def choose(self, until: str | None = None, *, anew: bool = True, say: Say = lambda _: None) -> None:
        """Decide what the settings leave open, and find out whether the lab can be built up to a step.

        What is lacking decides what there is to choose, so this belongs before every write. What Azure holds is looked
        at again, unless not `anew` and both sides were seen; `say` hears of what is asked for again. Raises
        `PlstuiError`.
        """
        runtime = self.runtime
        public_key = await asyncio.to_thread(keys.public_key, runtime.lab.public_key)
        password = new_password() if runtime.lab.test_machine == "windows" else ""
        ready = await preflight(
            runtime.lab,
            self.subscriptions,
            runtime.bodies,
            public_key,
            until=until,
            password=password,
            survey=None if anew or self.survey is None or self.survey.unread else self.survey,
            say=say,
        )
        size = ready.choices.size or self._size_of_machines(ready.survey) or self.workshop.choices.size
        self.lab = self._made(replace(ready.choices, size=size))
        self._take(ready.survey)

    def _size_of_machines(self, survey: Survey) -> str:
        """What the machines that are there have: where none is lacking no size is chosen, and the commands name one."""
        provider, consumer = self.workshop.provider, self.workshop.consumer
        machines = [*(provider.machines if provider else ()), *((consumer.machine,) if consumer else ())]
        bodies = (survey.body(machine) or {} for machine in machines)
        profiles = ((body.get("properties") or {}).get("hardwareProfile") or {} for body in bodies)
        return next((str(size) for profile in profiles if (size := profile.get("vmSize"))), "")

    def begin(self, tell: Tell) -> Run:
        """A run from what was last seen; it is not on before it is told to go up."""
        assert self.survey is not None, "nothing runs before Azure was asked"
        self._past = {name: past for name, past in self._past.items() if past.state is not StepState.FAILED}
        self.run = Run(self.lab, self.survey, tell)
        return self.run

    def end(self) -> None:
        """The run is over, or is waited for no longer."""
        if self.run:
            self._past.update({status.step.id: status for status in self.run.statuses() if status.seconds})
            self.survey = self.run.survey
            self.run = None
        if self.undoing:
            self._take(self.undoing.survey)
            self.undoing = None
        if self.teardown:
            self.teardown = None
            self._past.clear()
            # Of what was there nothing is known any more; nobody must act on it.
            self.survey = None
            self.forget_page()

    async def take_stock(self, say: Say) -> Inventory:
        """What taking the lab down would take away; `say` hears of what is asked for again. Raises `PlstuiError`."""
        return await take_stock(self.lab, say)

    def request(self) -> Link | None:
        """The lab's connection, once the service shows it."""
        if self.workshop.consumer is None:
            return None
        endpoint, links = self.workshop.consumer.endpoint, self.runtime.world().links()
        return next((link for link in links if link.endpoint_id == endpoint and link.service_side), None)

    async def open_page(self) -> AsyncIterator[TargetResult]:
        """Fetch the page from everything that has it; what comes is kept, and in the end the verdict."""
        self.forget_page()
        self.opening = True
        try:
            async for result in open_page(self.runtime, self.workshop):
                self.results = (*self.results, result)
                yield result
            self._page = page_verdict(list(self.results))
        finally:
            self.opening = False

    def forget_page(self) -> None:
        """What was seen of the page says nothing any more."""
        self.results, self._page = (), None

    def ended(self) -> str:
        """Why nobody can decide on the request there is any more, as a clause; empty when somebody can."""
        parts = (part for step in self.workshop.steps for part in step.parts if isinstance(part, Wait))
        return next((why for part in parts if part.decision and (why := part.hopeless(self.seen))), "")

    def has_groups(self) -> bool:
        """Whether any of the lab's resource groups is there."""
        ours = (self.workshop.provider, self.workshop.consumer)
        return any(self.seen.body(half.group) is not None for half in ours if half)

    def has_endpoint(self) -> bool:
        """Whether the customer's endpoint is there, and so a request."""
        consumer = self.workshop.consumer
        return consumer is not None and self.seen.body(consumer.endpoint) is not None

    def has_address(self) -> bool:
        """Whether the endpoint has an address to open the page at."""
        consumer = self.workshop.consumer
        return consumer is not None and bool(consumer.address(self.seen))

    def wanted(self, last: Step | None) -> tuple[Step, ...]:
        """The steps up to one, all of them without one, as far as these subscriptions can take part in them."""
        steps = self.workshop.steps
        return tuple(step for step in (steps[: last.number] if last else steps) if not step.absent)
