"""References between resources of Microsoft.Network, and what the resource that is referred to says of them.

ARM shows a reference on both ends: the interface names its subnet, and the subnet lists the interface's configuration.
`LINKS` says which property is mirrored by which; everything else here keeps the two ends in step. A change on one end
gives the other one a new etag, as in Azure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from plstui.domain.ids import ResourceId
from plstui.sandbox.providers.network import derived
from plstui.sandbox.store import Body, Store, child_of


@dataclass(frozen=True, slots=True)
class Link:
    """One kind of reference."""

    source: str
    """The type that holds it."""
    name: str
    """The property that holds it: an object with an id, or an array of such."""
    target: str
    """The type it leads to."""
    back: str
    """The property over there that mirrors it."""
    many: bool = True
    """Whether `back` is an array."""
    loud: bool = False
    """Whether `back` shows names in upper case: what a subnet says of its users is written so."""


_N = "Microsoft.Network/"
_NIC, _IPCONFIG = _N + "networkInterfaces", _N + "networkInterfaces/ipConfigurations"
_LB, _VNET, _SUBNET = _N + "loadBalancers", _N + "virtualNetworks", _N + "virtualNetworks/subnets"
_FRONTEND, _POOL = _LB + "/frontendIPConfigurations", _LB + "/backendAddressPools"
_RULE, _NAT_RULE, _OUTBOUND = _LB + "/loadBalancingRules", _LB + "/inboundNatRules", _LB + "/outboundRules"
_NSG, _PUBLIC, _NAT = _N + "networkSecurityGroups", _N + "publicIPAddresses", _N + "natGateways"

LINKS = (
    Link(_IPCONFIG, "subnet", _SUBNET, "ipConfigurations", loud=True),
    Link(_IPCONFIG, "publicIPAddress", _PUBLIC, "ipConfiguration", many=False),
    Link(_IPCONFIG, "loadBalancerBackendAddressPools", _POOL, "backendIPConfigurations"),
    Link(_IPCONFIG, "loadBalancerInboundNatRules", _NAT_RULE, "backendIPConfiguration", many=False),
    Link(_NIC, "networkSecurityGroup", _NSG, "networkInterfaces"),
    Link(_SUBNET, "networkSecurityGroup", _NSG, "subnets"),
    Link(_SUBNET, "natGateway", _NAT, "subnets"),
    Link(_NAT, "publicIpAddresses", _PUBLIC, "natGateway", many=False),
    Link(_FRONTEND, "subnet", _SUBNET, "ipConfigurations", loud=True),
    Link(_FRONTEND, "publicIPAddress", _PUBLIC, "ipConfiguration", many=False),
    Link(_RULE, "frontendIPConfiguration", _FRONTEND, "loadBalancingRules"),
    Link(_RULE, "backendAddressPool", _POOL, "loadBalancingRules"),
    Link(_RULE, "backendAddressPools", _POOL, "loadBalancingRules"),
    Link(_RULE, "probe", _LB + "/probes", "loadBalancingRules"),
    Link(_NAT_RULE, "frontendIPConfiguration", _FRONTEND, "inboundNatRules"),
    Link(_NAT_RULE, "backendAddressPool", _POOL, "inboundNatRules"),
    Link(_LB + "/inboundNatPools", "frontendIPConfiguration", _FRONTEND, "inboundNatPools"),
    Link(_OUTBOUND, "frontendIPConfigurations", _FRONTEND, "outboundRules"),
    Link(_OUTBOUND, "backendAddressPool", _POOL, "outboundRules"),
    Link(_N + "privateLinkServices/ipConfigurations", "subnet", _SUBNET, "ipConfigurations", loud=True),
    Link(_N + "privateEndpoints", "subnet", _SUBNET, "privateEndpoints", loud=True),
)

_BY_SOURCE: dict[str, list[Link]] = {}
_BACK: dict[str, set[str]] = {}
for _link in LINKS:
    _BY_SOURCE.setdefault(_link.source.lower(), []).append(_link)
    _BACK.setdefault(_link.target.lower(), set()).add(_link.back)


def back_references(resource_type: str) -> frozenset[str]:
    """The properties of a type that only mirror what others say: no request sets them."""
    return frozenset(_BACK.get(resource_type.lower(), ()))


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference that a resource holds, itself or in a sub-resource."""

    link: Link
    source: ResourceId
    target: ResourceId

    def text(self) -> str:
        """How the target shows the source."""
        return loud(self.source) if self.link.loud else self.source.text


def loud(resource_id: ResourceId) -> str:
    """An id with the group and every name in upper case; the subscription and the provider stay as they are."""
    segments = resource_id.text.split("/")
    return "/".join(part.upper() if at % 2 == 0 and at not in (0, 2, 6) else part for at, part in enumerate(segments))


def parts(body: Any) -> Iterator[Body]:
    """A resource and every sub-resource in it."""
    if not isinstance(body, dict):
        return
    if "id" in body and "type" in body:
        yield body
    properties = body.get("properties")
    if not isinstance(properties, dict):
        return
    for value in properties.values():
        if isinstance(value, list):
            for item in value:
                if isinstance(item, dict) and "type" in item:
                    yield from parts(item)


def references(body: Body | None) -> dict[tuple[str, str, str], Reference]:
    """Every reference in a resource that is mirrored, by what it leads to, where, and from where."""
    found: dict[tuple[str, str, str], Reference] = {}
    for part in parts(body):
        source = ResourceId(part["id"])
        for link in _BY_SOURCE.get(str(part["type"]).lower(), ()):
            value = part["properties"].get(link.name)
            for item in value if isinstance(value, list) else [value] if value else []:
                target = ResourceId(item["id"])
                if target.is_type(link.target):
                    found[target.key, link.back, source.key] = Reference(link, source, target)
    return found


def root_id(resource_id: ResourceId) -> ResourceId:
    """The top-level resource that an id is in."""
    parent = resource_id.parent
    while parent is not None and not parent.is_type("Microsoft.Resources/resourceGroups"):
        resource_id, parent = parent, parent.parent
    return resource_id


def part_of(root: Body, resource_id: ResourceId) -> Body | None:
    """A sub-resource of a top-level resource, or that itself."""
    if ResourceId(root["id"]) == resource_id:
        return root
    parent_id = resource_id.parent
    parent = part_of(root, parent_id) if parent_id else None
    found = child_of(parent, resource_id.type.rpartition("/")[2], resource_id.name) if parent else None
    return found if isinstance(found, dict) else None


def fork(body: Body) -> Body:
    """A copy whose sub-resources and properties can be replaced; what is deeper inside is shared and must not be."""
    copy = dict(body)
    if isinstance(properties := body.get("properties"), dict):
        copy["properties"] = {
            name: [fork(item) if isinstance(item, dict) and "type" in item else item for item in value]
            if isinstance(value, list)
            else value
            for name, value in properties.items()
        }
    return copy


def new_etag() -> str:
    """An etag as Microsoft.Network writes it."""
    return f'W/"{uuid4()}"'


def stamp(body: Body, etag: str) -> None:
    """Give a resource and everything in it an etag."""
    for part in parts(body):
        part["etag"] = etag


def replace(store: Store, old: Body | None, new: Body | None) -> None:
    """Put `new` in the place of `old` and bring every mirror in step; None for what was not or will not be there."""
    before, after = references(old), references(new)
    if new is not None:
        _keep_mirrors(new, old)
    own = root_id(ResourceId((new or old or {})["id"]))
    others: dict[str, Body] = {}
    for key in [*(k for k in before if k not in after), *(k for k in after if k not in before)]:
        reference = before.get(key) or after[key]
        root = root_id(reference.target)
        if root != own and root.key not in others and (stored := store.get(root)) is not None:
            others[root.key] = fork(dict(stored))
        body = new if root == own else others.get(root.key)
        part = part_of(body, reference.target) if body else None
        if part is not None:
            _mirror(part["properties"], reference, present=key in after)
            derived.derive(part)
    if new is not None:
        store.put(new)
    else:
        store.delete(own)
    for body in others.values():
        stamp(body, new_etag())
        store.put(body)


def add(store: Store, bodies: Sequence[Body]) -> None:
    """Put many new top-level resources, and bring the mirrors of their references in step once.

    The same as `replace` for each of them, in a time that grows with their number and not with its square.
    """
    for body in bodies:
        stamp(body, new_etag())
        store.put(body)
    roots: dict[str, Body] = {}
    targets: dict[str, Body | None] = {}
    for reference in (reference for body in bodies for reference in references(body).values()):
        key = reference.target.key
        if key not in targets:
            targets[key] = _open(store, roots, reference.target)
        part = targets[key]
        if part is None:
            continue
        # Nobody has spoken of a new resource yet, so there is nothing to look for among what others say.
        if reference.link.many:
            part["properties"].setdefault(reference.link.back, []).append({"id": reference.text()})
        else:
            part["properties"][reference.link.back] = {"id": reference.text()}
    for target in targets.values():
        if target is not None:
            derived.derive(target)
    for body in roots.values():
        stamp(body, new_etag())
        store.put(body)


def _open(store: Store, roots: dict[str, Body], target: ResourceId) -> Body | None:
    """A resource or a part of one that can be changed: in `roots` is the copy of the resource that it is in."""
    root = root_id(target)
    if root.key not in roots:
        stored = store.get(root)
        if stored is None:
            return None
        roots[root.key] = fork(dict(stored))
    return part_of(roots[root.key], target)


def _keep_mirrors(new: Body, old: Body | None) -> None:
    """What others say of a resource outlives its own changes."""
    for part in parts(new):
        names = back_references(part["type"])
        former = part_of(old, ResourceId(part["id"])) if old and names else None
        for name in names:
            kept = former["properties"].get(name) if former else None
            if kept is not None:
                part["properties"][name] = kept
            else:
                part["properties"].pop(name, None)
        derived.derive(part)


def _mirror(properties: Body, reference: Reference, *, present: bool) -> None:
    """Show a reference at its target, or no longer; a mirror with nothing in it is left out."""
    back, key = reference.link.back, reference.source.key
    if not reference.link.many:
        if present:
            properties[back] = {"id": reference.text()}
        elif str((properties.get(back) or {}).get("id", "")).lower() == key:
            properties.pop(back, None)
        return
    kept = [item for item in properties.get(back) or [] if item["id"].lower() != key]
    if present:
        kept.append({"id": reference.text()})
    if kept:
        properties[back] = kept
    else:
        properties.pop(back, None)
