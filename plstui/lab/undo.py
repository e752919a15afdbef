"""Takes one step of the lab back, where nothing that is there needs it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from plstui.domain.az import GROUP, az, in_group
from plstui.domain.change import Put, Ready, etag_of
from plstui.domain.errors import AzureError, PlstuiError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.tasks import to_the_end
from plstui.domain.text import clean
from plstui.lab.deletion import deletion, whose_move
from plstui.lab.effort import Effort, StepFailedError
from plstui.lab.fragments import Body
from plstui.lab.holdings import Doubt, doubts, refuse
from plstui.lab.inventory import Group, read_group, typed
from plstui.lab.lab import Lab
from plstui.lab.parts import Part, Step, Survey, Wait, Want
from plstui.lab.progress import Kind, StepStatus, Tell, assess
from plstui.lab.retry import NOT_AS_REQUESTED
from plstui.lab.steps import Workshop


def why_not(workshop: Workshop, survey: Survey, step: Step) -> str | None:
    """Why a step cannot be undone now, as a sentence a person can act on; None when it can."""
    if step.absent:
        return f"{_titled(step)}, is not done from here: {step.absent}."
    if not any(isinstance(part, Want) for part in step.parts):
        if any(isinstance(part, Wait) and part.decision for part in step.parts):
            return f"{_titled(step)}, is a decision: reject or remove the connection, or undo the step before it."
        return f"{_titled(step)}, leaves nothing in Azure that could be undone."
    mine = {want.key: want for want in _wants(step) if is_there(want, survey)}
    if not mine:
        return f"{_titled(step)}, is not done, so there is nothing to undo."
    if taken := next((why for want in mine.values() if (why := want.conflict(survey))), None):
        return f"{_titled(step)}, cannot be undone: {taken}."
    parts = _by_key(workshop)
    ended = {key for part in parts.values() if isinstance(part, Wait) and part.hopeless(survey) for key in part.needs}
    for later in reversed(workshop.steps):
        for want in _wants(later) if later.id != step.id else ():
            needed = {need.key for need in _needed(want, parts)} & mine.keys()
            if needed and needed <= ended and not want.conflict(_without(survey, mine.values())):
                # Of no use as it is, and a name may stay when an endpoint is made anew.
                continue
            if is_there(want, survey) and needed:
                return f"Step {later.number}, {later.title}, still needs it: undo that first."
    if guests := sum(_guests(survey.body(want.id)) for want in mine.values()):
        return (
            f"Somebody is connected: remove {'the connection' if guests == 1 else f'all {guests} connections'} first."
        )
    return None


def last_undoable(workshop: Workshop, survey: Survey) -> Step | None:
    """The last step that can be undone; None when there is none."""
    return next((step for step in reversed(workshop.steps) if why_not(workshop, survey, step) is None), None)


def is_there(want: Want, survey: Survey) -> bool:
    """Whether a resource, or a piece of one, is there, in whatever state."""
    body = survey.body(want.id)
    return body is not None and (want.undone is None or want.undone(body) != body)


def _titled(step: Step) -> str:
    return f"Step {step.number}, {step.title}"


def _wants(step: Step) -> list[Want]:
    return [part for part in step.parts if isinstance(part, Want)]


def _by_key(workshop: Workshop) -> dict[str, Part]:
    return {part.key: part for step in workshop.steps for part in step.parts}


def _needed(part: Part, parts: Mapping[str, Part]) -> Iterator[Want]:
    """The resources and pieces that a part needs; what comes true by itself needs what it comes from."""
    # What a side needs of one that is not set is not among the parts.
    for need in (parts[key] for key in part.needs if key in parts):
        if isinstance(need, Want):
            yield need
        else:
            yield from _needed(need, parts)


def _without(survey: Survey, wants: Iterable[Want]) -> Survey:
    """What Azure would hold if these were gone."""
    return replace(survey, bodies={**survey.bodies, **dict.fromkeys(want.id for want in wants)})


def _guests(body: Body | None) -> int:
    """How many connections a resource has, if it is a service."""
    return len(((body or {}).get("properties") or {}).get("privateEndpointConnections") or [])


class Undo(Effort):
    """Takes back one step, and another one after it."""

    def __init__(self, lab: Lab, survey: Survey, tell: Tell) -> None:
        super().__init__(lab.clock, lab.gate, lab.workshop.steps, tell)
        self.survey = survey
        self._lab = lab

    def statuses(self) -> tuple[StepStatus, ...]:
        """Where each step stands, with what this has done for it."""
        return tuple(map(self._with_progress, assess(self._lab.workshop.steps, self.survey)))

    def why_not(self, step: Step) -> str | None:
        """Why a step cannot be undone now; None when it can."""
        return self._lab.gate.why_not() or why_not(self._lab.workshop, self.survey, step)

    async def doubts(self, step: Step) -> tuple[Doubt, ...]:
        """What has to be named before a step is undone. Raises `PlstuiError`."""
        there = [want for want in _wants(step) if is_there(want, self.survey)]
        return await doubts(self._lab, self.survey, await read_group(self._lab, step.side), there)

    async def undo(self, step: Step, confirmed: Collection[str] = ()) -> None:
        """Take a step back: what it made is deleted, what it set in something else is taken out of it.

        Azure is looked at anew first. `confirmed` are the names that somebody has typed; see `doubts`. Raises
        `RefusedError` before anything is sent when the step is still needed or a name is lacking, and
        `StepFailedError`.
        """
        self.survey = await self._lab.survey(self._tell)
        if reason := self.why_not(step):
            raise RefusedError(reason)
        left = {want.key: want for want in _wants(step) if is_there(want, self.survey)}
        group = await read_group(self._lab, step.side)
        known = {typed(want.id.name) for want in _wants(step)}
        if wrong := [name for name in confirmed if typed(name) not in known]:
            raise RefusedError(f"There is no {clean(wrong[0])} in what step {step.number} has made.")
        refuse(await doubts(self._lab, self.survey, group, tuple(left.values())), confirmed, self._lab.guide)
        if any(want.id.is_type(GROUP) for want in left.values()):
            group.refuse(confirmed, self._lab.guide)
        self._begin(step)
        parts = _by_key(self._lab.workshop)
        try:
            while left:
                needed = {need.key for want in left.values() for need in _needed(want, parts)}
                ready = [want for key, want in left.items() if key not in needed]
                await to_the_end(self._take_back(step, group, wants, confirmed) for wants in _by_resource(ready))
                left = {key: want for key, want in left.items() if key in needed}
            self.survey = await self._lab.survey(self._tell)
        except PlstuiError as error:
            self._fail(step, error)
            raise StepFailedError(step, error, self._lab.guide.undo) from error
        finally:
            self._stop()
        self._end(step, "undone")

    async def _take_back(self, step: Step, group: Group, wants: Sequence[Want], confirmed: Collection[str]) -> None:
        """Undo what was made of one resource."""
        first = wants[0]
        what = ", ".join(want.what for want in wants)

        async def attempt(_: int) -> None:
            there = await self._see(step, first)
            changes = [want.undone for want in wants if want.undone]
            if there is None or not any(is_there(want, self.survey) for want in wants):
                return
            if changes:
                body = there
                for change in changes:
                    body = change(body)
                lines = "\n".join(piece_line(self._lab.workshop, want) for want in wants)
                put = Put(body, etag_of(first.id, there))
                update = Ready(side=first.side, target=first.id, verb="update", az=lines, sends=put)
                await self._send(step, f"removal of {what}", update)
            else:
                if first.id.is_type(GROUP):
                    (await read_group(self._lab, first.side)).refuse(confirmed, self._lab.guide)
                else:
                    # Somebody may have put something into it since it was asked about.
                    refuse(await doubts(self._lab, self.survey, group, wants), confirmed, self._lab.guide)
                await self._send(step, f"deletion of {what}", deletion(first.side, first.id))
            await self._see(step, first)
            if any(is_there(want, self.survey) for want in wants):
                raise AzureError(f"Azure took the request, and yet {what} is there.", code=NOT_AS_REQUESTED)

        with whose_move(first.id, what):
            await self._persist(step, attempt)
        self._say(Kind.DONE, step, f"{what} is undone")

    async def _see(self, step: Step, want: Want) -> Body | None:
        """What is there of a resource once nothing is under way with it."""
        there = await self._settled(step, self._lab.clouds[want.side], want.id)
        self.survey = self.survey.with_body(want.id, there)
        return there


def _by_resource(wants: Sequence[Want]) -> list[list[Want]]:
    """What can be taken back at once, by the resource that it is a piece of: that has one writer at a time."""
    found: dict[ResourceId, list[Want]] = {}
    for want in wants:
        found.setdefault(want.id, []).append(want)
    return list(found.values())


def piece_line(workshop: Workshop, want: Want) -> str:
    """The `az` command that takes a piece out of what it is a piece of."""
    names, target = workshop.lab.names, want.id
    match want.key:
        case "probe" | "rule":
            return az(
                f"network lb {want.key} delete", in_group(target, "--lb-name", names.balancer) | {"--name": "http"}
            )
        case "policies":
            subnet = in_group(target, "--vnet-name") | {"--name": names.subnet}
            policies = {"--private-link-service-network-policies": "Enabled"}
            return az("network vnet subnet update", subnet | policies)
        case _:
            interface = in_group(target, "--nic-name") | {"--ip-config-name": "ipconfig1"}
            pool = {"--lb-name": names.balancer, "--address-pool": names.pool}
            return az("network nic ip-config address-pool remove", interface | pool)
