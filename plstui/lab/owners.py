"""Whose is what has the lab's name already, where that shows in more than one value.

Each function makes a check for `Want.foreign`: it is given what is there and the survey, and answers with a clause that
says what speaks against it, empty when nothing does.
"""

from __future__ import annotations

from collections.abc import Callable

from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.lab.fragments import Body
from plstui.lab.parts import Survey, Want

TAG, RUN_TAG, OURS = "created-by", "plstui-run", "plstui"
"""The tags of a resource group that plstui created, and the metadata of a record: who did it, and in which run."""

Check = Callable[[Body, Survey], str]


def interface_of(machine: ResourceId) -> Check:
    """An interface that nothing but one machine may use."""

    def check(body: Body, _: Survey) -> str:
        properties = _properties(body)
        for kind in ("virtualMachine", "privateEndpoint", "privateLinkService"):
            user = ResourceId(_id(properties.get(kind)))
            if user.text and user != machine:
                return f"{clean(user.name)} uses it"
        names = [str(one.get("name")) for one in properties.get("ipConfigurations") or []]
        return "" if not names or "ipconfig1" in map(str.lower, names) else "it has no ipconfig1"

    return check


def frontend_in(frontend: ResourceId, subnet: ResourceId) -> Check:
    """A balancer whose frontend of a name is in a subnet; one without any frontend can still get it."""

    def check(body: Body, _: Survey) -> str:
        found = _properties(body).get("frontendIPConfigurations") or []
        named = [one for one in found if str(one.get("name")).lower() == frontend.name.lower()]
        if any(ResourceId(_id(_properties(one).get("subnet"))) == subnet for one in named):
            return ""
        if named:
            return f"its frontend {frontend.name} is not in subnet {subnet.name}"
        return f"it has no frontend {frontend.name} but others" if found else ""

    return check


def without_rule_at(priority: int, name: str) -> Check:
    """An NSG in which no inbound rule of another name has a priority."""

    def check(body: Body, _: Survey) -> str:
        for rule in _properties(body).get("securityRules") or []:
            values = _properties(rule)
            inbound = str(values.get("direction")).lower() == "inbound"
            if inbound and values.get("priority") == priority and str(rule.get("name")).lower() != name.lower():
                return f"its rule {clean(str(rule.get('name')))} has the priority {priority} already"
        return ""

    return check


def leads_to(service: ResourceId | None) -> Check:
    """A private endpoint that asks for a service."""

    def check(body: Body, _: Survey) -> str:
        properties = _properties(body)
        both = ("manualPrivateLinkServiceConnections", "privateLinkServiceConnections")
        connections = [_properties(one) for kind in both for one in properties.get(kind) or []]
        targets = [ResourceId(str(one.get("privateLinkServiceId") or "")) for one in connections]
        return f"it leads to {clean(targets[0].name)}" if targets and service not in targets else ""

    return check


def record_of(address: Callable[[Survey], str]) -> Check:
    """A record that is marked as the lab's, or leads to the endpoint's address alone, or nowhere."""

    def check(body: Body, survey: Survey) -> str:
        if is_marked(body):
            return ""
        if target := _id(_properties(body).get("targetResource")):
            return f"it leads to {clean(ResourceId(target).name)}"
        found = set(addresses_in(body))
        return f"it leads to {clean(', '.join(sorted(found)))}" if found - {address(survey)} else ""

    return check


def is_marked(record: Body) -> bool:
    """Whether a record says that the lab made it."""
    metadata = _properties(record).get("metadata") or {}
    return str(metadata.get(TAG, "")) == OURS


def addresses_in(record: Body) -> list[str]:
    """The addresses of a record; private zones spell it one way and public ones the other."""
    properties = _properties(record)
    records = properties.get("aRecords") or properties.get("ARecords") or []
    return [str(one.get("ipv4Address")) for one in records]


def _properties(body: Body) -> Body:
    return body.get("properties") or {}


def _id(reference: Body | None) -> str:
    return str((reference or {}).get("id") or "")


def group_want(key: str, side: Side, group: ResourceId, region: str, run: str) -> Want:
    """A resource group; tagged when it is ours."""
    return Want(
        key=key,
        side=side,
        id=group,
        what=f"resource group {group.name}",
        fixed={"location": region},
        initial={"location": region, "tags": {TAG: OURS, RUN_TAG: run}},
    )
