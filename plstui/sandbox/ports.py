"""What the parts of the sandbox ask of each other.

The resource providers keep what ARM knows; the fabric and the machines make it true on the wire. Neither imports the
other: the fabric reads resources through `ResourceView`, the providers ask for facts through `Backplane`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Json = Mapping[str, Any]
"""A resource body as ARM answers it."""


class ResourceView(Protocol):
    """The resources of every subscription, in the shape ARM answers with."""

    def get(self, resource_id: str) -> Json | None:
        """One resource or sub-resource by id (any case); None when there is none."""

    def of_type(self, resource_type: str) -> Sequence[Json]:
        """Every resource of a type (any case), of all subscriptions.

        Record sets are resources of their own type here (`Microsoft.Network/privateDnsZones/A`), and so are the links
        of a zone; subnets, rules, pools and connections stand inside their parents.
        """

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener(resource_id)` after each creation, change or deletion of a resource."""


@dataclass(frozen=True, slots=True)
class MemberHealth:
    """What the balancer's health probe last saw of one pool member."""

    ip_address: str
    ip_configuration_id: str
    up: bool
    reason: str
    """Azure's word, `Up_Probe_Success` or `Down_Probe_TcpProbeTimeout`."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What a script printed inside a machine."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class SshEndpoint:
    """Where a machine's SSH server listens on this computer."""

    vm_id: str
    name: str
    """The machine's name: its alias in the client configuration."""
    port: int
    """On 127.0.0.1."""
    user: str
    host_key: str
    """The public host key as one line, `ssh-ed25519 AAAA…`."""


class Backplane(Protocol):
    """The running network and machines, as the resource providers ask for them."""

    def rule_health(self, rule_id: str) -> Sequence[MemberHealth]:
        """The members behind one load-balancing rule and whether each answers its probe."""

    async def run_command(self, vm_id: str, script: str) -> CommandOutput:
        """Run a script in a machine, as the VM agent would. Never touches the host."""

    def ssh_endpoints(self) -> Sequence[SshEndpoint]:
        """The SSH server of every machine that has one."""
