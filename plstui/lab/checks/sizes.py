"""The machines' size: what a region offers a subscription, by Azure's list of sizes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from plstui.domain.az import az
from plstui.domain.sides import Side
from plstui.lab.checks.problem import Problem
from plstui.lab.fragments import Body

NAMED = 5
"""Sizes that are named where another must be chosen."""

PREFERRED = (
    *("Standard_B2s", "Standard_B2als_v2", "Standard_B2s_v2", "Standard_B2as_v2", "Standard_B2ms"),
    *("Standard_D2as_v5", "Standard_D2s_v5", "Standard_D2s_v4", "Standard_D2as_v4", "Standard_D2s_v3"),
    *("Standard_F2s_v2", "Standard_DS1_v2", "Standard_B1ms", "Standard_B1s"),
)
"""Small sizes in the order in which they are tried: two cores and four gigabytes first, for a workshop waits while
cloud-init runs; one core last, for subscriptions whose quota allows no more."""

LEAST_MEMORY = 1.0
"""Gigabytes that Ubuntu and nginx are content with."""

WINDOWS_MEMORY = 4.0
"""Gigabytes that Windows Server with a browser needs."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One size in one region, for one subscription."""

    name: str
    family: str
    """What its cores count towards, `standardBSFamily`."""
    cores: int
    memory: float
    """Gigabytes."""
    x64: bool
    """Whether it runs the lab's images, which are for x64 …"""
    second_generation: bool
    """… and of the second generation."""
    zones: frozenset[str]
    """Where it is offered."""
    closed: frozenset[str]
    """The zones in which this subscription cannot have it."""
    shut: bool
    """Whether this subscription cannot have it in the region at all."""

    def why_not(self, zones: Sequence[str], memory: float) -> str:
        """Why machines in these zones cannot have it; empty when they can. Without zones it may be anywhere."""
        if not self.x64:
            return "it is not for x64, and the lab's images are"
        if not self.second_generation:
            return "it takes no images of the second generation, and the lab's are"
        if self.shut:
            return "this subscription cannot have it there"
        if absent := [zone for zone in zones if zone not in self.zones]:
            return f"it is not offered in {_zones(absent)}"
        if closed := [zone for zone in zones if zone in self.closed]:
            return f"this subscription cannot have it in {_zones(closed)}"
        if self.memory < memory:
            return f"it has {self.memory:g} GB of memory, and {memory:g} are needed"
        return ""


def read(skus: Iterable[Body], region: str) -> dict[str, Offer]:
    """The sizes in a region by their name in lower case."""
    offers = (_offer(sku, region) for sku in skus if str(sku.get("resourceType")).lower() == "virtualmachines")
    return {offer.name.lower(): offer for offer in offers if offer}


def _offer(sku: Body, region: str) -> Offer | None:
    here = [one for one in sku.get("locationInfo") or [] if str(one.get("location")).lower() == region.lower()]
    if not here:
        return None
    can = {str(one.get("name")): str(one.get("value")) for one in sku.get("capabilities") or []}
    closed: set[str] = set()
    shut = False
    for restriction in sku.get("restrictions") or []:
        info = restriction.get("restrictionInfo") or {}
        places = info.get("locations") or restriction.get("values") or []
        if region.lower() not in (str(place).lower() for place in places):
            continue
        if str(restriction.get("type")).lower() == "zone":
            closed.update(map(str, info.get("zones") or []))
        else:
            shut = True
    return Offer(
        name=str(sku["name"]),
        family=str(sku.get("family") or ""),
        cores=int(can.get("vCPUsAvailable") or can.get("vCPUs") or 0),
        memory=float(can.get("MemoryGB") or 0),
        x64=can.get("CpuArchitectureType", "x64").lower() == "x64",
        second_generation="V2" in can.get("HyperVGenerations", "V2"),
        zones=frozenset(str(zone) for one in here for zone in one.get("zones") or []),
        closed=frozenset(closed),
        shut=shut,
    )


def _zones(zones: Sequence[str]) -> str:
    return f"zone {zones[0]}" if len(zones) == 1 else f"zones {', '.join(zones[:-1])} and {zones[-1]}"


@dataclass(frozen=True, slots=True)
class Place:
    """The machines that one side still lacks, and what its subscription is offered."""

    side: Side
    region: str
    offers: Mapping[str, Offer]
    """By name in lower case."""
    zones: Sequence[str]
    """The zones that machines are to be in; empty for one that may be anywhere."""
    memory: float
    """Gigabytes that each needs."""

    def why_not(self, name: str) -> str:
        """Why this side's machines cannot have a size; empty when they can."""
        offer = self.offers.get(name.lower())
        return offer.why_not(self.zones, self.memory) if offer else "it is not offered there at all"


def suitable(places: Sequence[Place]) -> list[str]:
    """The preferred sizes that every side can have, in order."""
    return [name for name in PREFERRED if not any(place.why_not(name) for place in places)]


def refused(name: str, places: Sequence[Place]) -> Iterator[Problem]:
    """Why a size that was asked for cannot be had, and which could."""
    would_do = ", ".join(suitable(places)[:NAMED])
    whose: dict[str, list[str]] = defaultdict(list)
    for place in places:
        if reason := place.why_not(name):
            whose[reason].append(f"the {place.side.label}")
    for reason, sides in whose.items():
        yield Problem(
            code="SizeNotAvailable",
            message=f"Size {name} cannot be had in {places[0].region} by {' and '.join(sides)}: {reason}.",
            hint=f"Set lab.size to one of {would_do}, or leave it out." if would_do else "Set another lab.region.",
        )


def none_left(places: Sequence[Place]) -> Problem:
    """None of the preferred sizes can be had."""
    first = PREFERRED[0]
    reason = next(reason for place in places if (reason := place.why_not(first)))
    region = places[0].region
    skus = az("vm list-skus", {"--location": region, "--zone": True})
    return Problem(
        code="SizeNotAvailable",
        message=f"None of the usual small sizes can be had in {region} where the lab needs one; {first}, for one: "
        f"{reason}.",
        hint=f"Set another lab.region, or lab.size to one that {skus} shows.",
    )
