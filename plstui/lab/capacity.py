"""Sizes and quota: can the regions of the subscriptions hold what the lab lacks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from plstui.config.settings import Lab
from plstui.domain.sides import Side
from plstui.domain.tasks import together
from plstui.lab.checks import quota, sizes
from plstui.lab.checks.problem import Problem
from plstui.lab.checks.quota import Usage
from plstui.lab.checks.sizes import Place
from plstui.lab.parts import Want
from plstui.lab.reading import PatientReader

MACHINES = "Microsoft.Compute/virtualMachines"
USAGES = ("Microsoft.Compute/locations/usages", "Microsoft.Network/locations/usages")
SKUS = "Microsoft.Compute/skus"


@dataclass(slots=True)
class _Demand:
    """What a side lacks, and what Azure says of its subscription."""

    new: Sequence[Want]
    usages: dict[str, Usage] = field(default_factory=dict)
    place: Place | None = None
    """None when no machine is lacking."""

    @property
    def machines(self) -> list[Want]:
        return [want for want in self.new if want.id.is_type(MACHINES)]

    def counts(self, size: str) -> Counter[str]:
        """What it adds to the usages, with machines of a size."""
        counts = quota.of_network(want.id.type for want in self.new)
        if self.place and (offer := self.place.offers.get(size.lower())):
            counts += quota.of_machines(len(self.machines), offer.cores, offer.family)
        return counts


class Capacity:
    """Holds resources that are to be created against sizes and quota."""

    def __init__(
        self, lab: Lab, region: str, subscriptions: Mapping[Side, str], readers: Mapping[Side, PatientReader]
    ) -> None:
        self._lab = lab
        self._region = region
        self._subscriptions = subscriptions
        self._readers = readers
        self._demands: dict[Side, _Demand] = {}

    async def choose(self, new: Iterable[Want]) -> tuple[str, list[Problem]]:
        """The machines' size, and what is in the way. The size is the settings' when no machine is lacking."""
        by_side: dict[Side, list[Want]] = defaultdict(list)
        for want in {want.id: want for want in new}.values():
            by_side[want.side].append(want)
        self._demands = {side: _Demand(wants) for side, wants in by_side.items()}
        await together([self._ask(side, demand) for side, demand in self._demands.items()])
        places = [demand.place for demand in self._demands.values() if demand.place]
        if not places:
            return self._lab.size, self._shortages("")
        if named := self._lab.size:
            refused = list(sizes.refused(named, places))
            offer = places[0].offers.get(named.lower())
            return offer.name if offer else named, [*refused, *self._shortages(named)]
        candidates = sizes.suitable(places)
        if not candidates:
            return "", [sizes.none_left(places), *self._shortages("")]
        size = next((size for size in candidates if not self._shortages(size)), candidates[0])
        return size, self._shortages(size)

    async def _ask(self, side: Side, demand: _Demand) -> None:
        await together([self._ask_usages(side, demand, kind) for kind in USAGES] + [self._ask_sizes(side, demand)])

    async def _ask_usages(self, side: Side, demand: _Demand, kind: str) -> None:
        namespace = kind.partition("/")[0]
        path = f"/subscriptions/{self._subscriptions[side]}/providers/{namespace}/locations/{self._region}/usages"
        demand.usages |= quota.read(await self._readers[side].collect(path, kind))

    async def _ask_sizes(self, side: Side, demand: _Demand) -> None:
        if not demand.machines:
            return
        path = f"/subscriptions/{self._subscriptions[side]}/providers/{SKUS}"
        found = await self._readers[side].collect(path, SKUS, **{"$filter": f"location eq '{self._region}'"})
        is_windows = side is Side.CUSTOMER and self._lab.test_machine == "windows"
        demand.place = Place(
            side=side,
            region=self._region,
            offers=sizes.read(found, self._region),
            zones=[zone for machine in demand.machines for zone in machine.fixed.get("zones", ())],
            memory=sizes.WINDOWS_MEMORY if is_windows else sizes.LEAST_MEMORY,
        )

    def _shortages(self, size: str) -> list[Problem]:
        """What the quota of each subscription does not allow, with machines of a size; both sides may have one."""
        problems: list[Problem] = []
        subscriptions = {side: self._subscriptions[side].lower() for side in self._demands}
        for subscription in dict.fromkeys(subscriptions.values()):
            sides = [side for side, other in subscriptions.items() if other == subscription]
            counts = sum((self._demands[side].counts(size) for side in sides), Counter[str]())
            whose = f"The {' and '.join(side.label for side in sides)}'s"
            problems += quota.problems(whose, self._region, self._demands[sides[0]].usages, counts)
        return problems
