"""The region: is there one of that name, and has it zones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from plstui.domain.text import clean
from plstui.lab.checks.problem import Problem
from plstui.lab.fragments import Body
from plstui.lab.provider import ZONES

NAMED = 8
"""Regions that are named where another must be chosen."""


@dataclass(frozen=True, slots=True)
class Region:
    """One region as a subscription sees it."""

    name: str
    """As resources carry it, `westeurope`."""
    title: str
    """As people write it, `West Europe`."""
    geography: str
    """The part of the world."""
    zones: frozenset[str]
    """The zones of this subscription; Azure maps them to others in each."""

    @property
    def has_three_zones(self) -> bool:
        """Whether each of the lab's three machines can be in a zone of its own."""
        return self.zones.issuperset(ZONES)

    def __str__(self) -> str:
        return f"{self.name} ({self.title})"


def normal(text: str) -> str:
    """A region's name as resources carry it, as far as that can be told without asking: `West Europe`."""
    return text.replace(" ", "").lower()


def read(locations: Iterable[Body]) -> dict[str, Region]:
    """The regions of a subscription by name; those that only group others are none."""
    regions: dict[str, Region] = {}
    for one in locations:
        metadata = one.get("metadata") or {}
        if metadata.get("regionType") == "Logical":
            continue
        mappings = one.get("availabilityZoneMappings") or []
        zones = frozenset(str(mapping.get("logicalZone")) for mapping in mappings)
        name = str(one["name"])
        title, geography = str(one.get("displayName") or name), str(metadata.get("geographyGroup") or "")
        regions[name.lower()] = Region(name, title, geography, zones)
    return regions


def find(regions: Mapping[str, Region], wanted: str) -> Region | None:
    """The region that is meant, by either of its names."""
    titles = {region.title.lower(): region for region in regions.values()}
    return regions.get(normal(wanted)) or titles.get(wanted.strip().lower())


def unknown(regions: Mapping[str, Region], wanted: str) -> Problem:
    """There is no such region; the nearest one is told."""
    near = get_close_matches(normal(wanted), regions, n=1)
    nearest = regions[near[0]] if near else None
    return Problem(
        code="RegionUnknown",
        message=f"There is no region {clean(wanted, 60)!r}" + (f"; the nearest name is {nearest}." if nearest else "."),
        hint=f"Set lab.region to one with three zones, such as {_zoned(regions, nearest)}.",
        setting=True,
    )


def without_zones(regions: Mapping[str, Region], region: Region) -> Problem:
    """The region has no three zones for the three machines."""
    found = f"{len(region.zones)} zones" if region.zones else "no zones"
    return Problem(
        code="RegionWithoutZones",
        message=f"The region {region} has {found} for this subscription, and the lab puts a machine in each of three.",
        hint=f"Set lab.region to one with three zones, such as {_zoned(regions, region)}.",
        setting=True,
    )


def _zoned(regions: Mapping[str, Region], near: Region | None) -> str:
    """Some regions with three zones, those in the same part of the world first."""
    zoned = [region for region in regions.values() if region.has_three_zones]
    if near:
        zoned.sort(key=lambda region: region.geography != near.geography)
    return ", ".join(region.name for region in zoned[:NAMED])
