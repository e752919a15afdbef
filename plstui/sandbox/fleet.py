"""The world `fleet`: an ISV with fifty services and thousands of connections, the same ones every time."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from random import Random
from uuid import UUID

from plstui.domain.ids import ResourceId
from plstui.sandbox.account import LOCATION, NETWORK, Account
from plstui.sandbox.azure import Azure
from plstui.sandbox.companies import COMPANIES, Company, message, set_up
from plstui.sandbox.providers.privatelink import bulk, targets
from plstui.sandbox.providers.privatelink.lookup import APPROVED, DISCONNECTED, ENDPOINT, PENDING, REJECTED, state
from plstui.sandbox.store import Body

SEED = 314159

OUR = Company("Tradewinds", LOCATION)
"""The customer whose side is shown; the others are all the companies there are."""

PRODUCTS: Mapping[str, Sequence[str]] = {
    "payments": ("api", "ledger", "refunds", "invoices", "mandates", "payouts", "disputes", "rates"),
    "identity": ("login", "directory", "consent", "keys", "audit", "devices", "invites", "sessions"),
    "logistics": ("tracking", "labels", "routes", "customs", "pickup", "returns", "fleet", "docks"),
    "analytics": ("ingest", "query", "reports", "exports", "alerts", "forecast", "models", "catalog"),
    "messaging": ("queue", "mail", "sms", "push", "webhooks", "templates", "archive", "search"),
    "health": ("records", "imaging", "lab", "pharmacy", "booking", "claims", "referrals", "consents"),
    "core": ("gateway", "status"),
}
"""The ISV's products and the services of each: one balancer a product, which may stand behind eight services."""

FULL = ("payments-api", "analytics-ingest", "core-gateway")
"""Services with as many connections as Azure allows."""

LONGEST_TAIL, SHRINKING = 330, 0.86
"""Connections of the next service, and what part of it the one after that has; the last ones have none."""

OURS = 3
"""How many times more connections than any other customer the one has whose side is shown."""

_STATUSES = {APPROVED: 82, PENDING: 9, REJECTED: 6, DISCONNECTED: 3}
"""How many of a hundred requests have ended so."""

_WORDS = {
    APPROVED: ("Approved", "Approved by operations", "Contract checked, approved", "Order system: paid"),
    REJECTED: ("Order number unknown", "No contract with this customer", "Ask again from your production tenant"),
    DISCONNECTED: ("Contract ended", "Removed by the service's owner"),
}

_NETWORK_GROUP = "platform-network-rg"


@dataclass(frozen=True, slots=True)
class _Service:
    id: str
    alias: str
    name: str
    size: int


class Fleet:
    """Builds the world: services and networks by requests, as anybody would; the endpoints straight into the store."""

    def __init__(self, azure: Azure, isv: Account, customer: Account, others: Sequence[Account]) -> None:
        self._azure = azure
        self._isv = isv
        self._customers = (customer, *others)
        self._random = Random(SEED)

    async def build(self) -> None:
        """Fill the store. Raises `WorldError`."""
        before, self._azure.new_guid = self._azure.new_guid, self._guid
        try:
            services = await self._services()
            subnets = [await set_up(*pair) for pair in zip(self._customers, (OUR, *COMPANIES), strict=True)]
            with _uncollected():
                bulk.connect(self._azure, self._wishes(services, subnets), self._random.randrange)
        finally:
            self._azure.new_guid = before

    def _guid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    # The ISV's side

    async def _services(self) -> list[_Service]:
        """Fifty services in a group for each product, all in one network."""
        await self._isv.put_group(_NETWORK_GROUP)
        network = await self._isv.put(
            _NETWORK_GROUP,
            "Network/virtualNetworks/platform-vnet",
            {
                "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
                "subnets": [
                    {
                        "name": product,
                        "properties": {
                            "addressPrefix": f"10.0.{number}.0/24",
                            "privateLinkServiceNetworkPolicies": "Disabled",
                            "defaultOutboundAccess": False,
                        },
                    }
                    for number, product in enumerate(PRODUCTS)
                ],
            },
        )
        names = [f"{product}-{part}" for product, parts in PRODUCTS.items() for part in parts]
        sizes = self._sizes(names)
        return [
            await self._service(name, frontend, f"{network}/subnets/{product}", sizes[name])
            for product in PRODUCTS
            for name, frontend in (await self._balancer(product, f"{network}/subnets/{product}")).items()
        ]

    def _sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How many connections each service has: a few as many as can be, then a long tail in no order."""
        others = [name for name in names if name not in FULL]
        self._random.shuffle(others)
        tail = {name: round(LONGEST_TAIL * SHRINKING**place) for place, name in enumerate(others)}
        return {**dict.fromkeys(FULL, targets.MOST_ENDPOINTS), **tail}

    async def _balancer(self, product: str, subnet: str) -> dict[str, str]:
        """The balancer of a product; returns its frontends' ids by the services that they are for."""
        group, kind = f"{product}-rg", f"Network/loadBalancers/{product}-lb"
        own = self._isv.id_of(group, kind)
        names = [f"{product}-{part}" for part in PRODUCTS[product]]
        await self._isv.put_group(group)
        await self._isv.put(group, kind, _balancer(own, names, subnet), sku={"name": "Standard"})
        return {name: f"{own}/frontendIPConfigurations/{name}" for name in names}

    async def _service(self, name: str, frontend: str, subnet: str, size: int) -> _Service:
        group = f"{name.partition('-')[0]}-rg"
        service_id = await self._isv.put(
            group,
            f"Network/privateLinkServices/{name}-pls",
            {
                "ipConfigurations": [{"name": "nat", "properties": {"subnet": {"id": subnet}, "primary": True}}],
                "loadBalancerFrontendIpConfigurations": [{"id": frontend}],
            },
        )
        service = await self._isv.request("GET", service_id, NETWORK)
        return _Service(service_id, service["properties"]["alias"], name, size)

    # The customers' sides

    def _wishes(self, services: Sequence[_Service], subnets: Sequence[str]) -> list[bulk.Wish]:
        premises = [*zip((OUR, *COMPANIES), subnets, (count(1) for _ in subnets), strict=True)]
        weights = [OURS] + [1] * len(COMPANIES)
        wishes: list[bulk.Wish] = []
        for service in services:
            left = service.size
            while left:
                [(company, subnet, numbers)] = self._random.choices(premises, weights)
                wish = self._wish(service, company, subnet, next(numbers))
                wishes.append(wish)
                left -= wish.shown["status"] != DISCONNECTED
        return wishes

    def _wish(self, service: _Service, company: Company, subnet: str, number: int) -> bulk.Wish:
        group = subnet.partition("/providers/")[0]
        return bulk.Wish(
            id=ResourceId(f"{group}/providers/{ENDPOINT}/{service.name}-pe-{number:03}"),
            location=company.location,
            subnet_id=subnet,
            service_id=service.id,
            target=self._random.choice((service.id, service.alias)),
            name=f"to-{service.name}",
            message=message(company, self._random),
            shown=self._shown(),
        )

    def _shown(self) -> Body:
        [status] = self._random.choices(list(_STATUSES), list(_STATUSES.values()))
        return targets.AWAITING if status == PENDING else state(status, self._random.choice(_WORDS[status]))


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without garbage collection: all that is made inside is kept, and looking through it takes a sixth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _balancer(own: str, names: Sequence[str], subnet: str) -> Body:
    """A balancer with a frontend and a rule for each service, and one pool; the machines are left out."""
    return {
        "frontendIPConfigurations": [{"name": name, "properties": {"subnet": {"id": subnet}}} for name in names],
        "backendAddressPools": [{"name": "backends"}],
        "probes": [{"name": "https", "properties": {"protocol": "Tcp", "port": 443}}],
        "loadBalancingRules": [
            {
                "name": name,
                "properties": {
                    "protocol": "Tcp",
                    "frontendPort": 443,
                    "backendPort": 8440 + number,
                    "frontendIPConfiguration": {"id": f"{own}/frontendIPConfigurations/{name}"},
                    "backendAddressPool": {"id": f"{own}/backendAddressPools/backends"},
                    "probe": {"id": f"{own}/probes/https"},
                },
            }
            for number, name in enumerate(names)
        ],
    }
