"""Load-balancing rules: which one takes a flow, and which member gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from plstui.sandbox.fabric.topology import Attachment, properties, reference, references
from plstui.sandbox.ports import Json

DEFAULT_IDLE_MINUTES = 4
"""What a rule has when it says nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One load-balancing rule. Ids are in lower case."""

    id: str
    frontend_id: str
    pool_ids: tuple[str, ...]
    probe_id: str | None
    protocol: str
    port: int
    """On the frontend; 0 for every port."""
    backend_port: int
    distribution: str
    """`Default` (five values), `SourceIP` (two) or `SourceIPProtocol` (three)."""
    floating: bool
    idle_minutes: int
    tcp_reset: bool

    def takes(self, frontend_id: str, port: int) -> bool:
        """Whether a TCP connection to a port of a frontend is this rule's."""
        return self.frontend_id == frontend_id and self.protocol in ("tcp", "all") and self.port in (port, 0)


@dataclass(frozen=True, slots=True)
class Tuple:
    """What a flow is hashed by."""

    source: str
    source_port: int
    destination: str
    port: int
    protocol: str = "tcp"

    def key(self, distribution: str) -> str:
        """The values that count for a kind of distribution."""
        match distribution.lower():
            case "sourceip":
                return f"{self.source} {self.destination}"
            case "sourceipprotocol":
                return f"{self.source} {self.destination} {self.protocol}"
        return f"{self.source} {self.source_port} {self.destination} {self.port} {self.protocol}"


def rules(balancer: Json | None) -> list[Rule]:
    """The load-balancing rules of a balancer."""
    return [_rule(body) for body in properties(balancer).get("loadBalancingRules") or []]


def _rule(body: Json) -> Rule:
    values = properties(body)
    pools = references(values.get("backendAddressPools")) or references([values.get("backendAddressPool")])
    return Rule(
        id=str(body.get("id", "")).lower(),
        frontend_id=reference(values.get("frontendIPConfiguration")) or "",
        pool_ids=tuple(pools),
        probe_id=reference(values.get("probe")),
        protocol=str(values.get("protocol", "Tcp")).lower(),
        port=int(values.get("frontendPort") or 0),
        backend_port=int(values.get("backendPort") or 0),
        distribution=str(values.get("loadDistribution") or "Default"),
        floating=bool(values.get("enableFloatingIP")),
        idle_minutes=int(values.get("idleTimeoutInMinutes") or DEFAULT_IDLE_MINUTES),
        tcp_reset=bool(values.get("enableTcpReset")),
    )


def choose(flow: Tuple, distribution: str, members: Sequence[Attachment]) -> Attachment:
    """The member a flow goes to. Each has its own score for the flow, so one that leaves takes only its own along."""
    key = flow.key(distribution)
    return max(members, key=lambda member: blake2b(f"{key} {member.address}".encode(), digest_size=8).digest())
