"""One local Azure: what the resource providers work on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import InitVar, dataclass, field
from uuid import uuid4

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.operations import Operations
from plstui.sandbox.gateway.tokens import Client, Directory
from plstui.sandbox.keyring import Keyring
from plstui.sandbox.latency import Latency
from plstui.sandbox.ports import Backplane, CommandOutput, MemberHealth, SshEndpoint
from plstui.sandbox.quotas import Quotas
from plstui.sandbox.store import Store


class NoBackplane:
    """Stands where no network runs: nothing is healthy and no machine answers. For tests of the protocol alone."""

    def rule_health(self, rule_id: str) -> Sequence[MemberHealth]:
        """No member answers."""
        return ()

    async def run_command(self, vm_id: str, script: str) -> CommandOutput:
        """The machine's agent does not answer."""
        return CommandOutput(1, "", "no network runs behind this sandbox\n")

    def ssh_endpoints(self) -> Sequence[SshEndpoint]:
        """There are none."""
        return ()


Dispatch = Callable[[Client, Request], Awaitable[Response]]
"""Answers a request that Azure makes itself with a client's rights, as `Gateway.handle_for` does."""


async def no_dispatch(client: Client, request: Request) -> Response:
    """Stands where no gateway is; nothing that makes requests of its own works then."""
    raise ArmError(503, "ServiceUnavailable", "This sandbox has no gateway.")


def random_guid() -> str:
    """A guid like no other."""
    return str(uuid4())


@dataclass(slots=True)
class Azure:
    """Clock, directory, resources and operations of one sandbox; `backplane` joins them to the running network."""

    clock: SandboxClock = field(default_factory=SandboxClock)
    latency: InitVar[Latency] = Latency.NONE
    keyring: Keyring = field(default_factory=Keyring)
    store: Store = field(default_factory=Store)
    quotas: Quotas = field(default_factory=Quotas)
    backplane: Backplane = field(default_factory=NoBackplane)
    dispatch: Dispatch = no_dispatch
    """Set to `Gateway.handle_for` once there is a gateway."""
    new_guid: Callable[[], str] = random_guid
    """Makes the guids in resources of Microsoft.Network, their aliases and the names that Azure gives; etags are not
    among them. A world that is to be the same every time brings its own."""
    directory: Directory = field(init=False)
    operations: Operations = field(init=False)
    rejected_may_be_approved: bool = True
    """Whether a rejected connection can be approved again: Azure's documents contradict each other."""

    def __post_init__(self, latency: Latency) -> None:
        self.directory = Directory(self.clock, signing_key=self.keyring.secret("tokens"))
        self.operations = Operations(self.clock, latency)
