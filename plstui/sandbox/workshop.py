"""The world `workshop`: a service, and customers in tenants of their own whose requests arrive one after the other."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from plstui.sandbox.account import NETWORK, Account
from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.companies import COMPANIES, Company, message, set_up

SEED = 271828

CUSTOMERS = 20
"""With the one whose side is shown, who is the first to ask."""

EARLY = 2
"""How many others have asked when the world begins."""

PAUSE = (10.0, 25.0)
"""Seconds between two requests, at least and at most, by the sandbox's clock."""


def guests() -> tuple[Company, ...]:
    """The customers besides the first, in the order in which they ask; the same every time."""
    return tuple(Random(SEED).sample(COMPANIES, CUSTOMERS - 1))


@dataclass(frozen=True, slots=True)
class _Guest:
    company: Company
    account: Account
    subnet_id: str
    message: str


class Workshop:
    """Lets the customers of a service ask for a connection, each in its own name and from its own subscription."""

    def __init__(self, clock: SandboxClock, service_id: str) -> None:
        self._clock = clock
        self._service_id = service_id
        self._random = Random(SEED)
        self._waiting: deque[_Guest] = deque()
        self._task: asyncio.Task[None] | None = None

    async def build(self, accounts: Sequence[Account]) -> None:
        """Set every guest up, and let the first few ask. Raises `WorldError`."""
        for company, account in zip(guests(), accounts, strict=True):
            subnet_id = await set_up(account, company)
            self._waiting.append(_Guest(company, account, subnet_id, message(company, self._random)))
        for _ in range(EARLY):
            await self._ask(self._waiting.popleft())

    def start(self) -> None:
        """Let the others ask from now on."""
        self._task = asyncio.get_running_loop().create_task(self._arrive())

    async def stop(self) -> None:
        """Let nobody ask any more."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _arrive(self) -> None:
        # Each time is counted from the last one and not from when that was served: however far somebody turns the
        # clock, as many have asked by then as would have.
        due = self._clock.time()
        while self._waiting:
            due += self._random.uniform(*PAUSE)
            await self._clock.sleep(max(0.0, due - self._clock.time()))
            guest = self._waiting.popleft()
            if not await self._ask(guest):
                # The service may be busy, full or gone for a while: the guest asks again after all the others.
                self._waiting.append(guest)

    async def _ask(self, guest: _Guest) -> bool:
        """Send a guest's request; says whether it was taken."""
        name = f"{guest.company.slug}-pe"
        body = {
            "location": guest.company.location,
            "properties": {
                "subnet": {"id": guest.subnet_id},
                "manualPrivateLinkServiceConnections": [
                    {
                        "name": "connectionToSaasService",
                        "properties": {"privateLinkServiceId": self._service_id, "requestMessage": guest.message},
                    }
                ],
            },
        }
        endpoint_id = guest.account.id_of(f"{guest.company.slug}-rg", f"Network/privateEndpoints/{name}")
        response = await guest.account.try_request("PUT", endpoint_id, NETWORK, body)
        return response.status < 400
