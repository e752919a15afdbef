"""Takes the lab down: connections → endpoint → service → both groups at once, and nothing outside the two groups.

As with building it, what there is is read from Azure and nowhere else: whoever is interrupted goes on where it stood,
and what is gone already costs no write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import replace
from typing import Any

from plstui.domain.az import delete_line
from plstui.domain.errors import AzureError, PlstuiError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.patience import POLL_SECONDS
from plstui.domain.sides import Side
from plstui.domain.tasks import to_the_end
from plstui.domain.text import clean
from plstui.lab import scripts
from plstui.lab.consumer import connection_of
from plstui.lab.deletion import deletion, whose_move
from plstui.lab.effort import Effort, StepFailedError
from plstui.lab.inventory import Group, Guest, Inventory, guests_of, read_group, reader, some, typed
from plstui.lab.lab import Lab
from plstui.lab.parts import DELETING, Step, StepState
from plstui.lab.progress import Kind, StepStatus, Tell
from plstui.lab.retry import NOT_AS_REQUESTED
from plstui.lab.steps import Workshop

BOTH = (Side.ISV, Side.CUSTOMER)

AT_ONCE = 4
"""Connections that are removed at a time: they are written with their service, and Azure has it busy soon."""

ROUNDS = 7
"""How often the service is emptied before its deletion is given up. Customers may ask anew meanwhile, and Azure may say
for a while that it has connections which it no longer lists: the pauses between them add up to two minutes."""

EMPTYINGS = 30
"""How often connections are removed before that is given up: they come faster than they go."""

LEAVING = 60
"""Looks at a service until the connection of a deleted endpoint is gone from it; after that it is left to Azure."""

_WITH_CONNECTIONS = "privatelinkservicewithprivateendpointconnectionscannotbedeleted"


def teardown_steps(workshop: Workshop, sides: Collection[Side] = BOTH) -> tuple[Step, ...]:
    """Steps 17 to 19 of the lab, as far as they are these sides'."""
    names = workshop.lab.names
    absent = {
        Side.ISV: "" if workshop.provider else "the ISV subscription is not set",
        Side.CUSTOMER: "" if workshop.consumer else "the Customer subscription is not set",
    }
    steps = (
        Step(
            id="delete-endpoint",
            number=17,
            side=Side.CUSTOMER,
            title="Delete the endpoint",
            why="A customer leaves by deleting the endpoint; nobody has to agree. The service then lists one "
            "connection less.",
            blade=f"{names.endpoint} › Delete",
            absent=absent[Side.CUSTOMER],
        ),
        Step(
            id="delete-isv",
            number=18,
            side=Side.ISV,
            title="Delete the ISV's resource group",
            why="A service that somebody is connected to cannot be deleted, so connections go first, then the service, "
            "then the group with all the rest. Endpoints of customers who have not left stay with them, disconnected.",
            blade=f"Resource groups › {names.isv_group} › Delete resource group",
            absent=absent[Side.ISV],
        ),
        Step(
            id="delete-customer",
            number=19,
            side=Side.CUSTOMER,
            title="Delete the customer's resource group",
            why="What was made in one group goes in one go. Nothing that the customer has elsewhere is touched.",
            blade=f"Resource groups › {names.customer_group} › Delete resource group",
            absent=absent[Side.CUSTOMER],
        ),
    )
    return tuple(step for step in steps if step.side in sides)


class Teardown(Effort):
    """One go at taking down one side or both."""

    def __init__(
        self,
        lab: Lab,
        inventory: Inventory,
        tell: Tell,
        *,
        sides: Collection[Side] = BOTH,
        confirmed: Collection[str] = (),
    ) -> None:
        """`confirmed` are the names of groups that somebody has typed; see `Inventory.to_type`."""
        self.steps = teardown_steps(lab.workshop, sides)
        super().__init__(lab.clock, lab.gate, self.steps, tell)
        self.inventory = inventory
        """What there still is, as last seen."""
        self.before = inventory
        """What there was when it was asked for."""
        self._met = {guest.id: guest for guest in inventory.guests}
        self._lab = lab
        self._sides = frozenset(sides)
        self._confirmed = tuple(confirmed)

    def script(self) -> str:
        """The same as a bash script of az commands."""
        return scripts.teardown(self._lab.workshop, self.before, sides=self._sides, confirmed=self._confirmed)

    # Before

    def statuses(self) -> tuple[StepStatus, ...]:
        """Where each step stands, with what this run has done for it."""
        return tuple(self._with_progress(StepStatus(step, *self._state(step))) for step in self.steps)

    def _state(self, step: Step) -> tuple[StepState, str]:
        if step.absent:
            return StepState.BLOCKED, step.absent
        if error := self.inventory.unreachable.get(step.side):
            return StepState.BLOCKED, error.message
        if step.id == "delete-endpoint":
            endpoint = self.inventory.endpoint
            return (StepState.NEEDED, f"endpoint {endpoint.name} is there") if endpoint else (StepState.DONE, "")
        group = self.inventory.groups[step.side]
        if not group.exists:
            return StepState.DONE, ""
        if reason := group.obstacle(self._confirmed):
            return StepState.BLOCKED, reason
        if group.state == DELETING:
            return StepState.NEEDED, f"resource group {group.id.name} is being deleted"
        holds = _count(len(group.contents), "resource")
        guests = len(self.inventory.guests) if step.side is Side.ISV else 0
        connected = f", and its service {_count(guests, 'connection')}" if guests else ""
        return StepState.NEEDED, f"resource group {group.id.name} holds {holds}{connected}"

    def notes(self) -> tuple[str, ...]:
        """What stays behind, and whose move it is; a sentence each."""
        before, found = self.before, []
        for side in sorted(self._sides, key=BOTH.index):
            if side in before.groups:
                continue
            error = before.unreachable.get(side)
            why = f"could not be read ({error.message.rstrip('.')})" if error else "is not set"
            found.append(
                f"The {side.label} subscription {why}: what is there stays, and goes with "
                f"{self._lab.guide.down_side(side)} from where it can be reached."
            )
        leaving = {side for side in self._sides if side in before.groups}
        if Side.ISV in leaving:
            found += self._left_behind(leaving)
        elif Side.CUSTOMER in leaving and before.endpoint:
            found.append(
                "The connection at the service disappears by itself once the endpoint is gone; the ISV need do nothing."
            )
        if before.record and Side.CUSTOMER in leaving:
            found.append(
                f"The record {before.record.name} in the public zone {_parent(before.record).name} stays, and leads to "
                f"an address that is no longer there; its owner deletes it with {delete_line(before.record)}."
            )
        return tuple(found)

    def _left_behind(self, leaving: Collection[Side]) -> list[str]:
        """What becomes of the endpoints at the service when it goes."""
        stay = [guest for guest in self._met.values() if not (guest.is_labs and Side.CUSTOMER in leaving)]
        if not stay:
            return []
        names = some([guest.endpoint_id.name for guest in stay])
        first = delete_line(stay[0].endpoint_id)
        number = _count(len(stay), "endpoint")
        return [f"{number} of customers stay behind, Disconnected: {names}; only who owns one can delete it: {first}."]

    def refuse(self) -> None:
        """Raise `PlstuiError` when what is there is in the way, whoever is to take it down."""
        found = self.inventory
        groups = {side: group for side, group in found.groups.items() if side in self._sides}
        if not groups:
            side = self.steps[0].side
            raise found.unreachable.get(side) or RefusedError(f"There is nothing to take down: {self.steps[0].absent}.")
        known = {typed(group.id.name) for group in groups.values()}
        if wrong := [name for name in self._confirmed if typed(name) not in known]:
            names = " and ".join(group.id.name for group in groups.values())
            raise RefusedError(f"There is no {clean(wrong[0])} among the groups to delete: {names}.")
        for group in groups.values():
            group.refuse(self._confirmed, self._lab.guide)

    # The run

    async def down(self) -> None:
        """Take down what these sides have. What is gone already is left alone, and so is a side that could not be read.

        Raises `RefusedError` when something is in the way before anything is sent, and `StepFailedError`.
        """
        self.refuse()
        exists = any(group.exists for side, group in self.inventory.groups.items() if side in self._sides)
        if exists and (reason := self._lab.gate.why_not()):
            raise RefusedError(reason)
        try:
            await self._down()
        finally:
            self._stop()

    async def _down(self) -> None:
        found = {step.id: step for step in self.steps}
        isv, leave, customer = (found.get(name) for name in ("delete-isv", "delete-endpoint", "delete-customer"))
        groups = {
            step: group
            for step in (isv, customer)
            if step and (group := self.inventory.groups.get(step.side)) and group.exists
        }
        if isv in groups and self.inventory.service:
            await self._at(isv, self._drain(isv))
        if leave and self.inventory.endpoint:
            await self._at(leave, self._leave(leave))
            self._end(leave)
        if isv in groups and self.inventory.service:
            await self._at(isv, self._delete_service(isv))
        await to_the_end(self._delete_group(step, group) for step, group in groups.items())

    async def _at(self, step: Step, work: Coroutine[Any, Any, None]) -> None:
        """Work at a step. Raises `StepFailedError`."""
        self._begin(step)
        try:
            await work
        except PlstuiError as error:
            self._fail(step, error)
            raise StepFailedError(step, error, self._lab.guide.down) from error

    async def _drain(self, step: Step) -> None:
        """Remove every connection of the service, and those that come meanwhile."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def remove(guest: Guest) -> None:
            async with gate:
                await self._delete(step, guest.id, f"connection of {clean(guest.endpoint_id.name)}")

        for _ in range(EMPTYINGS):
            guests = await self._guests()
            if not guests:
                return
            self._refuse_strangers(guests)
            await to_the_end(remove(guest) for guest in guests)
            if await self._guests():
                await self._pause(POLL_SECONDS)
        raise RefusedError(
            f"Connections come back as soon as they are removed: {some([guest.endpoint_id.name for guest in guests])}.",
            hint="Let nobody see the service any more, or ask who connects to stop.",
        )

    def _refuse_strangers(self, guests: Collection[Guest]) -> None:
        """Raise `RefusedError` for customers who have come since it was asked whether others may be cut off."""
        group = self.inventory.groups[Side.ISV]
        new = [guest.endpoint_id.name for guest in guests if not guest.is_labs]
        if new and group.state != DELETING and typed(group.id.name) not in map(typed, self._confirmed):
            raise RefusedError(
                f"Since it was listed, others have connected to the service: {some(new)}.",
                hint="Look at them.",
            )

    async def _guests(self) -> tuple[Guest, ...]:
        """The connections of the service as they are now."""
        provider, consumer = self._lab.workshop.provider, self._lab.workshop.consumer
        assert provider is not None, "the service was found"
        service = await reader(self._lab, Side.ISV).get(provider.service)
        guests = guests_of(service, consumer.endpoint if consumer else None)
        self._met |= {guest.id: guest for guest in guests}
        self.inventory = replace(self.inventory, guests=guests, service=provider.service if service else None)
        return guests

    async def _leave(self, step: Step) -> None:
        """Delete the endpoint, and see it gone from the service where that can be seen."""
        endpoint = self.inventory.endpoint
        assert endpoint is not None, "the endpoint was found"
        await self._delete(step, endpoint, f"private endpoint {endpoint.name}")
        self.inventory = replace(self.inventory, endpoint=None)
        if not self.inventory.service:
            return
        try:
            await self._see_it_gone(step, endpoint, self.inventory.service)
        except PlstuiError as error:
            # The customer has left; what the ISV's side shows is the ISV's affair.
            self._say(Kind.WAITING, step, f"the service could not be looked at: {error.message}")

    async def _see_it_gone(self, step: Step, endpoint: ResourceId, service: ResourceId) -> None:
        for looks in range(LEAVING):
            body = await self._lab.clouds[Side.ISV].get(service)
            if connection_of(body, endpoint) is None:
                return
            if not looks:
                self._say(Kind.WAITING, step, f"{service.name} still lists the connection of {endpoint.name}")
            await self._pause(POLL_SECONDS)
        self._say(Kind.WAITING, step, "the service still lists the connection; it disappears by itself")

    async def _delete_service(self, step: Step) -> None:
        """Delete the service; whoever has connected since it was emptied is removed first."""
        service = self.inventory.service
        assert service is not None, "the service was found"
        for tries in range(ROUNDS):
            try:
                await self._delete(step, service, f"private link service {service.name}")
            except AzureError as error:
                if error.code.lower() != _WITH_CONNECTIONS or tries == ROUNDS - 1:
                    raise
                self._say(Kind.RETRY, step, f"{error.code}: {error.message}")
                await self._pause(POLL_SECONDS * 2**tries)
                await self._drain(step)
            else:
                self.inventory = replace(self.inventory, service=None, guests=())
                return

    async def _delete_group(self, step: Step, group: Group) -> None:
        """Delete a group, as it is now: what has come into it since it was listed is not lost unasked."""

        async def check() -> None:
            now = await read_group(self._lab, group.side)
            self._note(now)
            now.refuse(self._confirmed, self._lab.guide)
            listed = {content.id for content in group.contents}
            if new := [content.id.name for content in now.foreign if content.id not in listed]:
                raise RefusedError(
                    f"Since it was listed, {some(new)} came into resource group {group.id.name}.",
                    hint="Look at it.",
                )

        await self._at(step, self._delete(step, group.id, f"resource group {group.id.name}", check))
        self._note(Group(group.side, group.id))
        self._end(step)

    def _note(self, group: Group) -> None:
        self.inventory = replace(self.inventory, groups={**self.inventory.groups, group.side: group})

    async def _delete(
        self,
        step: Step,
        resource_id: ResourceId,
        what: str,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Delete one thing and see that it is gone; nothing is sent when it is gone or going already."""
        cloud = self._lab.clouds[step.side]

        async def attempt(_: int) -> None:
            if await self._settled(step, cloud, resource_id) is None:
                return
            if check:
                await check()
            await self._send(step, f"deletion of {what}", deletion(step.side, resource_id))
            if await self._settled(step, cloud, resource_id) is not None:
                raise AzureError(f"Azure says it has deleted the {what}, and it is there.", code=NOT_AS_REQUESTED)

        with whose_move(resource_id, what):
            await self._persist(step, attempt)
        self._say(Kind.DONE, step, f"{what} is gone")


def _parent(resource_id: ResourceId) -> ResourceId:
    assert resource_id.parent is not None, f"a record is in a zone: {resource_id}"
    return resource_id.parent


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
