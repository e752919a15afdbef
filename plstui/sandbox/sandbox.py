"""One sandbox: the local Azure, its gateway and the network and machines behind it, joined."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

from plstui.sandbox.account import Account
from plstui.sandbox.azure import Azure
from plstui.sandbox.companies import COMPANIES, Company
from plstui.sandbox.control import Control
from plstui.sandbox.fabric.backplane import RunningNetwork
from plstui.sandbox.faults import Faults
from plstui.sandbox.fleet import Fleet
from plstui.sandbox.gateway.gateway import Gateway
from plstui.sandbox.gateway.identity import Identity
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.latency import Latency
from plstui.sandbox.parties import Party, make_party
from plstui.sandbox.providers import compute, dns, network, privatedns, privatelink, resources
from plstui.sandbox.scenarios import Builder
from plstui.sandbox.workshop import Workshop, guests


@dataclass
class Sandbox:
    """Everything of one local Azure except the way in: `handle` takes requests from wherever they come."""

    azure: Azure = field(default_factory=Azure)

    def __post_init__(self) -> None:
        self.isv = make_party("isv", "ISV", "1", self.azure.keyring)
        self.customer = make_party("customer", "Customer", "2", self.azure.keyring)
        self.customers: list[Party] = []
        """Customers besides `customer`, in worlds that have some."""
        self._workshop: Workshop | None = None
        for party in (self.isv, self.customer):
            self._admit(party)
        self.network = RunningNetwork(self.azure.store, self.azure.clock, self.azure.keyring)
        self.azure.backplane = self.network
        self.gateway = Gateway(
            self.azure.directory,
            self.azure.operations,
            resources.front_door(self.azure),
            [
                *resources.endpoints(self.azure),
                *network.endpoints(self.azure),
                *privatelink.endpoints(self.azure),
                *privatedns.endpoints(self.azure),
                *dns.endpoints(self.azure),
                *compute.endpoints(self.azure),
            ],
        )
        self.azure.dispatch = self.gateway.handle_for
        self.identity = Identity(self.azure.directory)
        parties = (self.isv, self.customer)
        sides = {party.subscription.id.lower(): party.name for party in parties}
        self.faults = Faults(self.azure, sides, self.network)
        self.control = Control(self.azure, self.network, self.faults, self.gateway.counters)

    async def handle(self, request: Request) -> Response:
        """Answer one request, whether it is for ARM, for the identity endpoint or for the control endpoint.

        Raises `Drop` when an injected fault cuts the connection.
        """
        answer = self.identity.handle(request) or await self.control.handle(request)
        return answer or await self.faults.handle(request, self.gateway.handle)

    async def start(self) -> None:
        """Let the network run."""
        await self.network.start()

    async def build(self, world: str, *, public_key: str, web_user_data: str, client_user_data: str) -> None:
        """Fill it with a world, at once, whatever the latency is later. Raises `WorldError`."""
        latency, self.azure.operations.latency = self.azure.operations.latency, Latency.NONE
        isv, customer = (self._account(party) for party in (self.isv, self.customer))
        builder = Builder(
            isv,
            customer,
            public_key=public_key,
            web_user_data=web_user_data,
            client_user_data=client_user_data,
        )
        await builder.build(world)
        if world == "workshop":
            self._workshop = Workshop(self.azure.clock, builder.service_id)
            await self._workshop.build(self._invite(guests()))
        elif world == "fleet":
            await Fleet(self.azure, isv, customer, self._invite(COMPANIES)).build()
        await self.azure.operations.settle()
        await self.network.settled()
        if world == "unhealthy":
            await self.network.break_web("web2")
            await self.network.settled()
        self.azure.operations.latency = latency
        if self._workshop:
            self._workshop.start()

    def _invite(self, companies: Iterable[Company]) -> list[Account]:
        """Make customers known, each in a tenant of its own."""
        self.customers = [
            make_party(company.slug, company.name, f"{number:02x}", self.azure.keyring)
            for number, company in enumerate(companies, 0x30)
        ]
        for party in self.customers:
            self._admit(party)
        return [self._account(party) for party in self.customers]

    def _admit(self, party: Party) -> None:
        self.azure.directory.add_subscription(party.subscription)
        self.azure.directory.add_client(party.owner)
        self.azure.directory.add_client(party.reader)

    def _account(self, party: Party) -> Account:
        return Account(party.subscription.id, partial(self.gateway.handle_for, party.owner))

    async def stop(self) -> None:
        """Stop every machine and forget what is under way."""
        if self._workshop:
            await self._workshop.stop()
        self.faults.close()
        self.azure.operations.close()
        await self.network.stop()
