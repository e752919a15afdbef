"""Everything that is told before the first write: what is in the way, and what the plan must choose by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

from plstui.config.settings import Lab
from plstui.domain.az import GROUP, register_line
from plstui.domain.errors import AzureError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.tasks import together
from plstui.domain.text import sentence
from plstui.engine.ports import Clock, CloudBodies, SystemClock
from plstui.lab.capacity import Capacity
from plstui.lab.checks import names, ranges, regions, rights
from plstui.lab.checks.problem import Problem, refusal
from plstui.lab.checks.regions import Region
from plstui.lab.parts import Part, Survey, Wait, Want, obstacle
from plstui.lab.progress import Event
from plstui.lab.reading import PatientReader, Say
from plstui.lab.steps import Choices, Workshop, workshop
from plstui.lab.surveyor import ask_health, take_survey

FORBIDDEN = 403

REGISTERED = frozenset({"registered", "registering"})
"""States of a provider in which Azure takes writes for it."""

NETWORK, COMPUTE = "Microsoft.Network", "Microsoft.Compute"


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known once nothing stands in the way."""

    choices: Choices
    """What the plan needs beside the settings."""
    survey: Survey
    """What Azure was seen to hold: a run starts from it, so that nothing is read twice."""


async def preflight(
    lab: Lab,
    subscriptions: Mapping[Side, str],
    clouds: Mapping[Side, CloudBodies],
    public_key: str,
    *,
    until: str | None = None,
    approves: bool = False,
    password: str = "",
    survey: Survey | None = None,
    clock: Clock | None = None,
    say: Say = lambda _: None,
) -> Ready:
    """What the plan needs beside the settings, once it is known that nothing stands in its way. Writes nothing.

    `until` is the id or number of the last step that matters; `approves` says whether the ISV's decision is a part of
    it; `survey` is what was seen a moment ago, of both sides; `say` hears of what is asked for again. Raises
    `PreflightError` with all that was found, `LookupError` for a step that there is not, and any other `PlstuiError`
    when Azure cannot be read.
    """
    choices = Choices(
        region=regions.normal(lab.region), size=lab.size, public_key=public_key, run=token_hex(4), password=password
    )
    return await _Preflight(
        lab,
        dict(subscriptions),
        clouds,
        choices,
        survey,
        until=until,
        approves=approves,
        clock=clock or SystemClock(),
        say=say,
    ).run()


class _Preflight:
    """One look at everything."""

    def __init__(
        self,
        lab: Lab,
        subscriptions: dict[Side, str],
        clouds: Mapping[Side, CloudBodies],
        choices: Choices,
        survey: Survey | None,
        *,
        until: str | None,
        approves: bool,
        clock: Clock,
        say: Say,
    ) -> None:
        self._lab = lab
        self._subscriptions = subscriptions
        self._clouds = clouds
        self._readers = {side: PatientReader(cloud, clock, say) for side, cloud in clouds.items()}
        self._choices = choices
        self._until = until
        self._approves = approves
        self._clock = clock
        self._say = say
        self._seen = survey
        self._problems: dict[str, Problem] = {}
        """By their sentence: what holds for both sides is told once."""
        self._survey = Survey()
        self._regions: dict[Side, dict[str, Region]] = {}
        self._providers: dict[tuple[Side, str], str] = {}
        """How providers are registered, by side and namespace."""

    async def run(self) -> Ready:
        """Look, and raise what was found; else tell what was chosen and seen."""
        misnamed = list(names.check(self._lab, self._subscriptions))
        self._note([*misnamed, *ranges.check(self._lab, self._subscriptions)])
        if Side.CUSTOMER in self._subscriptions:
            self._note(names.check_message(self._lab.message))
        if misnamed:
            self._refuse()  # What cannot be called so cannot be looked for either.
        await together([self._look(), *(self._get_to_know(side) for side in self._readers)])
        can_be_there = self._choose_region()
        made = self._workshop()
        parts = self._parts(made)
        lacking = [part for part in parts if isinstance(part, Want) and part.lack(self._survey)]
        if no_zone := list(self._public_zone(made)):
            self._note(no_zone)
            lacking = [want for want in lacking if made.consumer is None or want.id != made.consumer.record]
        self._note(self._unregistered(lacking))
        checks = list(self._check_rights(made, lacking))
        if can_be_there:
            self._note(self._taken(made, parts))
            checks.append(self._check_capacity(lacking))
        await together(map(self._guarded, checks))
        self._refuse()
        if self._seen is None:
            self._survey = await ask_health(self._workshop(), self._clouds, self._clock, self._hear, self._survey)
        return Ready(self._choices, self._survey)

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._problems.setdefault(problem.message, problem)

    def _refuse(self) -> None:
        if self._problems:
            raise refusal(list(self._problems.values()))

    def _workshop(self) -> Workshop:
        return workshop(self._lab, self._subscriptions, self._choices)

    def _parts(self, made: Workshop) -> list[Part]:
        """The parts that matter."""
        last = made.step(self._until).number if self._until is not None else len(made.steps)
        return [part for step in made.steps[:last] for part in step.parts]

    # What there is

    async def _look(self) -> None:
        """See what there is of the lab. No id depends on what is still to be chosen."""
        made = self._workshop()
        survey = self._seen or await take_survey(made, self._clouds, self._clock, self._hear)
        if made.consumer and self._lab.dns.kind == "public":
            zone = made.consumer.zone
            survey = survey.with_body(zone, await self._readers[Side.CUSTOMER].get(zone))
        self._survey = survey

    def _hear(self, event: Event) -> None:
        self._say(event.text)

    async def _get_to_know(self, side: Side) -> None:
        """See which regions a subscription has, and how it is registered."""
        root, reader = f"/subscriptions/{self._subscriptions[side]}", self._readers[side]
        self._regions[side] = regions.read(
            await reader.collect(f"{root}/locations", "Microsoft.Resources/subscriptions/locations")
        )
        for namespace in (NETWORK, COMPUTE):
            provider = await reader.get(ResourceId(f"{root}/providers/{namespace}"))
            self._providers[side, namespace] = str((provider or {}).get("registrationState") or "NotRegistered")

    # What is in the way

    def _choose_region(self) -> bool:
        """Settle the region's name; whether it is one that the lab can be in."""
        for side, known in self._regions.items():
            region = regions.find(known, self._lab.region)
            if region is None:
                self._note([regions.unknown(known, self._lab.region)])
                return False
            if side is Side.ISV and not region.has_three_zones:
                self._note([regions.without_zones(known, region)])
                return False
            self._choices = replace(self._choices, region=region.name)
        return True

    def _taken(self, made: Workshop, parts: Sequence[Part]) -> Iterator[Problem]:
        """Names that something else has, and networks without room."""
        obstacles = [(part, reason) for part in parts if (reason := obstacle(part, self._survey))]
        groups = {part.id for part, _ in obstacles if isinstance(part, Want) and part.id.is_type(GROUP)}
        for part, reason in obstacles:
            if isinstance(part, Wait):
                yield Problem(code="NotPossible", message=sentence(reason), hint="")
            elif part.id in groups:
                where = (self._survey.body(part.id) or {}).get("location")
                yield Problem(
                    code="NameTaken",
                    message=f"Resource group {part.id.name} is in {where} already, and the lab is to be in "
                    f"{self._choices.region}.",
                    hint=f"Set lab.region to {where}, or another name for the group in [lab.names].",
                )
            elif _group_of(part.id) not in groups:  # Whatever is in such a group is in the wrong place with it.
                yield Problem(code="NameTaken", message=f"{reason}.", hint="Set another name in [lab.names].")
        yield from self._without_room(made)

    def _without_room(self, made: Workshop) -> Iterator[Problem]:
        """Networks that are there and in which another subnet has the range of the lab's."""
        for side, maker in ((Side.ISV, made.provider), (Side.CUSTOMER, made.consumer)):
            network = self._survey.body(maker.network) if maker else None
            if maker is None or network is None:
                continue
            prefix = ranges.prefixes(self._lab, side)[1]
            for other in ranges.neighbours(network, maker.subnet.name, prefix):
                yield Problem(
                    code="AddressRange",
                    message=f"In network {maker.network.name} the subnet {other} overlaps {prefix}, which "
                    f"{maker.subnet.name} is to have.",
                    hint=f"Set lab.{side.value}_subnet_prefix to a range that is free there.",
                )

    def _public_zone(self, made: Workshop) -> Iterator[Problem]:
        """A public zone is not the lab's to make: it must be there."""
        zone = made.consumer.zone if made.consumer and self._lab.dns.kind == "public" else None
        if zone is None:
            return
        body = self._survey.body(zone)
        kind = str(((body or {}).get("properties") or {}).get("zoneType") or "Public").lower()
        if body is None or kind != "public":
            yield Problem(
                code="ZoneMissing",
                message=f"There is no public zone {zone.name} in resource group {zone.resource_group} of the customer.",
                hint="Set lab.dns.zone and lab.dns.group to one that is there, or lab.dns.kind to private.",
            )

    def _unregistered(self, lacking: Sequence[Want]) -> Iterator[Problem]:
        """Providers that a subscription must be registered for before it can have what is lacking."""
        for (side, namespace), state in self._providers.items():
            used = any(want.side is side and want.id.type.startswith(f"{namespace}/") for want in lacking)
            if used and state.lower() not in REGISTERED:
                subscription = self._subscriptions[side]
                yield Problem(
                    code="ProviderNotRegistered",
                    message=f"The {side.label}'s subscription is not registered for {namespace} ({state}).",
                    hint=register_line(namespace, subscription, wait=True),
                )

    # Rights

    def _check_rights(self, made: Workshop, lacking: Sequence[Want]) -> Iterator[Coroutine[Any, Any, None]]:
        """Hold what is to be written against what each sign-in may do, scope by scope."""
        needed: dict[tuple[Side, ResourceId], list[str]] = defaultdict(list)
        for want in lacking:
            needed[want.side, self._scope(want.side, want.id)] += rights.needed_for(want.id.type)
        for wait in (part for part in self._parts(made) if isinstance(part, Wait)):
            if wait.health_of:
                needed[wait.side, self._scope(wait.side, wait.health_of)].append(rights.HEALTH)
            if wait.decision and self._approves and made.provider and wait.lacking(self._survey):
                needed[Side.ISV, self._scope(Side.ISV, made.provider.service)] += rights.DECISION
        return (self._check_scope(side, scope, actions) for (side, scope), actions in needed.items())

    def _scope(self, side: Side, resource_id: ResourceId) -> ResourceId:
        """Where the right to write a resource is asked for: its group, and the subscription while there is none."""
        group = _group_of(resource_id)
        # A group that was not looked at is that of a public zone, which was.
        exists = group not in self._survey.bodies or self._survey.body(group) is not None
        return group if exists and resource_id != group else ResourceId(f"/subscriptions/{self._subscriptions[side]}")

    async def _check_scope(self, side: Side, scope: ResourceId, actions: Sequence[str]) -> None:
        kind = "Microsoft.Authorization/permissions"
        granted = await self._readers[side].collect(f"{scope}/providers/{kind}", kind)
        if lacking := rights.missing(granted, actions):
            self._note([rights.problem(side, scope, lacking)])

    # Sizes and quota

    async def _check_capacity(self, lacking: Sequence[Want]) -> None:
        """Choose a size that the region has and the quota allows."""
        capacity = Capacity(self._lab, self._choices.region, self._subscriptions, self._readers)
        new = [want for want in lacking if self._survey.body(want.id) is None and self._is_registered(want)]
        size, problems = await capacity.choose(new)
        self._choices = replace(self._choices, size=size)
        self._note(problems)

    def _is_registered(self, want: Want) -> bool:
        """Whether Azure tells of sizes and quota: a provider that is not registered does not."""
        states = {ns: state.lower() for (side, ns), state in self._providers.items() if side is want.side}
        return set(states.values()) <= REGISTERED

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """What may not even be looked at is a finding like others."""
        try:
            await work
        except AzureError as error:
            if error.status != FORBIDDEN:
                raise
            self._note([Problem(code=error.code, message=error.message, hint=error.hint)])


def _group_of(resource_id: ResourceId) -> ResourceId:
    """The resource group that something is in; a group's is itself."""
    return ResourceId(f"/subscriptions/{resource_id.subscription}/resourceGroups/{resource_id.resource_group}")
