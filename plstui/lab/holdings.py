"""What undoing a step would take from others: it has to be named before it is done."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from plstui.domain.az import GROUP
from plstui.domain.errors import RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean, sentence
from plstui.lab.fragments import Body
from plstui.lab.guide import COMMANDS, Guide
from plstui.lab.inventory import Group, reader, some, typed
from plstui.lab.lab import Lab
from plstui.lab.owners import is_marked
from plstui.lab.parts import Survey, Want

_PIECES = {
    "microsoft.network/virtualnetworks": ("subnets", "virtualNetworkPeerings"),
    "microsoft.network/networksecuritygroups": ("securityRules",),
    "microsoft.network/natgateways": ("publicIpAddresses",),
    "microsoft.network/loadbalancers": (
        "frontendIPConfigurations",
        "backendAddressPools",
        "probes",
        "loadBalancingRules",
        "inboundNatRules",
        "outboundRules",
    ),
}
"""The lists in which a resource of the lab's may hold something that others put there, and that goes with it."""

_PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"


@dataclass(frozen=True, slots=True)
class Doubt:
    """One resource that is taken back only when its name has been typed."""

    id: ResourceId
    reason: str
    """Why, as the rest of a sentence: `resource virtualNetwork holds what is not the lab's: theirs`."""


async def doubts(lab: Lab, survey: Survey, group: Group, wants: Sequence[Want]) -> tuple[Doubt, ...]:
    """What speaks against taking back what is there of some wants, by resource. Raises `PlstuiError`."""
    found: dict[ResourceId, Doubt] = {}
    for want in wants:
        if want.id not in found and (reason := await _reason(lab, survey, group, want)):
            found[want.id] = Doubt(want.id, reason)
    return tuple(found.values())


def refuse(found: Sequence[Doubt], confirmed: Collection[str], guide: Guide = COMMANDS) -> None:
    """Raise `RefusedError` when there are doubts about what was not named."""
    names = set(map(typed, confirmed))
    left = [doubt for doubt in found if typed(doubt.id.name) not in names]
    if left:
        reason = left[0].reason
        raise RefusedError(
            sentence(f"{reason}, so its name has to be typed"),
            hint=f"Look at it first; then {guide.name([doubt.id.name for doubt in left])}.",
        )


async def _reason(lab: Lab, survey: Survey, group: Group, want: Want) -> str:
    if want.id.is_type(GROUP):
        return group.doubt
    body, name = survey.body(want.id) or {}, clean(want.id.name)
    if typed(want.id.resource_group) != typed(group.id.name):
        # A record in a public zone: that was there before the lab, and so may the record have been.
        return "" if is_marked(body) else f"resource {name} does not say that plstui made it"
    if not group.is_ours:
        return f"resource {name} is in group {group.id.name}, which was not created by plstui"
    if want.undone:
        return ""
    held = list(_pieces(lab, survey, want.id, body))
    if want.id.is_type(_PRIVATE_ZONE):
        held += await _records(lab, want)
    return f"resource {name} holds what is not the lab's: {some(held)}" if held else ""


def _pieces(lab: Lab, survey: Survey, resource_id: ResourceId, body: Body) -> Iterator[str]:
    """The names of what is in a resource and is in none of the lab's parts."""
    parts = [part for step in lab.workshop.steps for part in step.parts]
    wants = [part for part in parts if isinstance(part, Want)]
    made = [(want.wanted(survey) or {}).get("properties") or {} for want in wants if want.id == resource_id]
    ids = {want.id for want in wants}
    properties = body.get("properties") or {}
    for kind in _PIECES.get(resource_id.type.lower(), ()):
        ours = {_name(item) for fragment in made for item in fragment.get(kind) or []}
        for item in properties.get(kind) or []:
            if _name(item) not in ours:
                yield str(item.get("name") or ResourceId(str(item.get("id", ""))).name)
            # Members leave a pool with the pool, whoever they are.
            for member in (item.get("properties") or {}).get("backendIPConfigurations") or []:
                interface = ResourceId(str(member.get("id", ""))).parent
                if interface and interface not in ids:
                    yield interface.name


def _name(item: Body) -> str:
    """What an item is told apart by."""
    return str(item.get("name") or item.get("id") or "").lower()


async def _records(lab: Lab, zone: Want) -> list[str]:
    """The record sets of a private zone but for the one that every zone has; they go with it."""
    found = await reader(lab, zone.side).collect(f"{zone.id.text}/ALL", f"{_PRIVATE_ZONE}/ALL")
    return [str(one["name"]) for one in found if not str(one["type"]).lower().endswith("/soa")]
