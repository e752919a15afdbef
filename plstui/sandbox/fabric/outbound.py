"""Whether a machine reaches the Internet, and so the archives its packages come from."""

from __future__ import annotations

from plstui.sandbox.fabric.security import Flow, Party, decide
from plstui.sandbox.fabric.topology import Attachment, Topology, properties, reference

SOMEWHERE = "91.189.91.83"
"""An address outside every virtual network, for security rules to decide on."""


def reaches_internet(topology: Topology, origin: Attachment) -> bool:
    """Whether connections from an address leave Azure, by any of its ways out, and no security rule stops them."""
    return _has_way_out(topology, origin) and not _forbidden(topology, origin)


def _has_way_out(topology: Topology, origin: Attachment) -> bool:
    if origin.public_address:
        return True
    subnet = topology.subnet(origin.subnet_id)
    if gateway_id := reference(subnet.get("natGateway")):
        gateway = properties(topology.view.get(gateway_id))
        return bool(gateway.get("publicIpAddresses") or gateway.get("publicIpPrefixes"))
    balancers = {pool.rpartition("/backendaddresspools/")[0] for pool in origin.pools}
    if any(_translates(topology, balancer_id) for balancer_id in balancers):
        return True
    if any(_is_standard(topology, balancer_id) for balancer_id in balancers):
        # Joining a Standard balancer ends default outbound access.
        return False
    return subnet.get("defaultOutboundAccess") is not False


def _is_standard(topology: Topology, balancer_id: str) -> bool:
    sku = (topology.view.get(balancer_id) or {}).get("sku") or {}
    return str(sku.get("name", "Standard")).lower() != "basic"


def _translates(topology: Topology, balancer_id: str) -> bool:
    """Whether a public balancer lends its address to its members' own connections."""
    balancer = properties(topology.view.get(balancer_id))
    frontends = balancer.get("frontendIPConfigurations") or []
    public = {
        str(frontend.get("id", "")).lower() for frontend in frontends if properties(frontend).get("publicIPAddress")
    }
    rules = list(map(properties, balancer.get("loadBalancingRules") or []))
    lent = [
        rule
        for rule in rules
        if reference(rule.get("frontendIPConfiguration")) in public and not rule.get("disableOutboundSnat")
    ]
    return bool(public and (balancer.get("outboundRules") or lent))


def _forbidden(topology: Topology, origin: Attachment) -> bool:
    space = topology.space(origin.network_id)
    flow = Flow(Party(origin.address, origin.asgs), 40000, Party(SOMEWHERE), 80)
    subnet = topology.subnet(origin.subnet_id)
    for group_id in (origin.nic_nsg, reference(subnet.get("networkSecurityGroup"))):
        group = topology.view.get(group_id) if group_id else None
        if group is not None and not decide(group, "Outbound", flow, space).allowed:
            return True
    return False
