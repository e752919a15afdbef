"""Names as Azure's resolver answers them to a machine.

Linked private zones come first, then the machines of its own network, then the public zones of whoever has some.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from plstui.domain.ids import ResourceId
from plstui.sandbox.fabric.topology import Attachment, Topology, properties, reference

ZONES = "Microsoft.Network/privateDnsZones"
LINKS = f"{ZONES}/virtualNetworkLinks"
PUBLIC_ZONES = "Microsoft.Network/dnsZones"
RESOLVER = "168.63.129.16"
MOST_ALIASES = 16
"""CNAMEs followed before a chain counts as a loop."""


def resolve(topology: Topology, origin: Attachment, name: str) -> list[str]:
    """The IPv4 addresses of a name as seen from an address's network; empty for an unknown name."""
    name = name.rstrip(".").lower()
    servers = (properties(topology.view.get(origin.network_id)).get("dhcpOptions") or {}).get("dnsServers") or []
    if any(server != RESOLVER for server in servers) and not _is_address(name):
        # The network asks a resolver of its own, and the sandbox has none but Azure's.
        return []
    for _ in range(MOST_ALIASES):
        if _is_address(name):
            return [name]
        zone = _zone(topology, origin.network_id, name)
        if zone is None:
            return _machine(topology, origin.network_id, name) or _public(topology, name)
        # A zone that is linked answers for everything under it, also that there is no such name.
        record = _relative(name, ResourceId(zone).name)
        answer = _record(topology, zone, record)
        if isinstance(answer, list):
            return answer or _registered(topology, zone, origin.network_id, record)
        name = answer
    return []


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _zone(topology: Topology, network_id: str, name: str) -> str | None:
    """The id of the closest zone around a name that is linked to a network."""
    best: str | None = None
    for link in topology.view.of_type(LINKS):
        if reference(properties(link).get("virtualNetwork")) != network_id:
            continue
        zone = ResourceId(str(link["id"])).parent
        if zone is None or not _is_around(zone.name, name):
            continue
        if best is None or len(zone.name) > len(ResourceId(best).name):
            best = zone.text
    return best


def _public(topology: Topology, name: str) -> list[str]:
    """The addresses that the closest public zone around a name has for it, whoever's zone that is."""
    around = [zone for zone in topology.view.of_type(PUBLIC_ZONES) if _is_around(str(zone["name"]), name)]
    if not around:
        return []
    zone = max(around, key=lambda zone: len(str(zone["name"])))
    record = _relative(name, str(zone["name"]))
    values = properties(topology.view.get(f"{zone['id']}/A/{record}"))
    return [str(item.get("ipv4Address")) for item in values.get("ARecords") or []]


def _is_around(zone: str, name: str) -> bool:
    return f".{name}".endswith(f".{zone.lower()}")


def _relative(name: str, zone: str) -> str:
    """A name as the zone around it has it."""
    return name.removesuffix(zone.lower()).rstrip(".") or "@"


def _record(topology: Topology, zone: str, record: str) -> list[str] | str:
    """The addresses of a record, or the name that it is another name of."""
    values = properties(topology.view.get(f"{zone}/A/{record}"))
    if values:
        return [str(item.get("ipv4Address")) for item in values.get("aRecords") or []]
    alias = properties(topology.view.get(f"{zone}/CNAME/{record}")).get("cnameRecord") or {}
    return str(alias["cname"]).rstrip(".").lower() if alias.get("cname") else []


def _registered(topology: Topology, zone: str, network_id: str, record: str) -> list[str]:
    """A machine that a link with registration has put into the zone."""
    registering = any(
        properties(link).get("registrationEnabled")
        and reference(properties(link).get("virtualNetwork")) == network_id
        and str(link["id"]).lower().startswith(f"{zone.lower()}/")
        for link in topology.view.of_type(LINKS)
    )
    return _machine(topology, network_id, record) if registering else []


def _machine(topology: Topology, network_id: str, name: str) -> list[str]:
    """The address of a machine of the same network by its computer name, with or without Azure's own suffix."""
    host, _, suffix = name.partition(".")
    if suffix and not suffix.endswith("internal.cloudapp.net"):
        return []
    for machine_id in topology.machines_in(network_id):
        profile = properties(topology.view.get(machine_id)).get("osProfile") or {}
        if str(profile.get("computerName", "")).lower() == host:
            return [attachment.address for attachment in topology.attachments(machine_id)[:1]]
    return []
