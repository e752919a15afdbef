"""Hostile requests to a whole sandbox: the answers are Azure's, nobody sees what is another's, and all fits together.

`CI` in the environment makes it ten thousand requests.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache, partial
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from plstui.domain.ids import ResourceId
from plstui.sandbox.account import Account
from plstui.sandbox.azure import NoBackplane
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Client
from plstui.sandbox.sandbox import Sandbox
from plstui.sandbox.scenarios import Builder
from plstui.sandbox.store import Body
from tests.conformance.hostile import Sent, Target, requests
from tests.sandbox.invariants import problems

REQUESTS = 10_000 if os.environ.get("CI") else 1_500
IN_A_ROW = 25
"""Requests to one sandbox, from the same beginning each time."""

PATIENCE = 10.0
"""Seconds after which a request counts as one that is never answered."""

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A failure names the request that it came with; making a row of them smaller would take many minutes."""

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8Yb0pXGo0nQ4Yf1s2W7o0m5s0aQk7mQm1o2c3d4e5f me"
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def _approved() -> list[Body]:
    """The resources of the approved world."""
    box = Sandbox()
    box.azure.backplane = NoBackplane()
    accounts = [
        Account(party.subscription.id, partial(box.gateway.handle_for, party.owner))
        for party in (box.isv, box.customer)
    ]
    builder = Builder(*accounts, public_key=KEY, web_user_data="#cloud-config\n", client_user_data="#cloud-config\n")
    await builder.build("approved")
    await box.azure.operations.settle()
    box.azure.operations.close()
    return list(box.azure.store)


@cache
def beginning() -> tuple[Body, ...]:
    """The resources that every sandbox here starts with."""
    return tuple(asyncio.run(_approved()))


def targets() -> list[Target]:
    """Everything there is in the beginning, with its own body, and something new of each type."""
    found = []
    for body in beginning():
        owner = "isv" if ResourceId(body["id"]).subscription == Sandbox().isv.subscription.id else "customer"
        found += [Target(owner, part["id"], part) for part in _parts(body)]
        found.append(Target(owner, f"{body['id']}-new", body))
    return found


def _parts(body: Body) -> Iterator[Body]:
    """A resource and the sub-resources inside it."""
    yield body
    for value in body.get("properties", {}).values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict) and "id" in item and "properties" in item:
                yield from _parts(item)


class Fuzzed:
    """One sandbox under hostile requests, and what each side has been told by its own requests."""

    def __init__(self) -> None:
        self.box = Sandbox()
        self.box.azure.backplane = NoBackplane()
        for body in beginning():
            self.box.azure.store.put(deepcopy(body))
        self.subscriptions = {"isv": self.box.isv.subscription.id, "customer": self.box.customer.subscription.id}
        self.said = {"isv": "", "customer": ""}
        self._tokens = {
            "isv": self._token(self.box.isv.owner),
            "customer": self._token(self.box.customer.owner),
            "reader": self._token(self.box.isv.reader),
            "forged": f"{self._token(self.box.isv.owner)[:-4]}AAAA",
        }

    def _token(self, client: Client) -> str:
        issued = self.box.azure.directory.issue(client.tenant, client.client_id, client.secret, "https://localhost")
        return str(issued["access_token"])

    async def send(self, sent: Sent) -> int:
        """Send a request, with all that it starts, and look at what comes back; gives its status."""
        side = "isv" if sent.who == "reader" else sent.who
        if side in self.said:
            self.said[side] += sent.text
        authorization = {"authorization": f"Bearer {self._tokens[sent.who]}"} if sent.who else {}
        request = Request(sent.method, sent.path, sent.query, {**sent.headers, **authorization}, sent.content)
        async with asyncio.timeout(PATIENCE):
            response = await self.box.handle(request)
        text = self._checked(sent, response)
        if side in self.said:
            self._keep_apart(side, text)
        elif response.status < 400:
            raise AssertionError(f"{sent} got {response.status} without a token")
        if sent.who == "reader" and sent.method not in ("GET", "HEAD"):
            assert response.status >= 400, sent
        return response.status

    def _checked(self, sent: Sent, response: Response) -> str:
        """An answer that can be sent and is no fault of the sandbox's own; gives it as text."""
        assert response.status < 500, (sent, response)
        text = json.dumps(response.body, allow_nan=False)
        text.encode()
        for name, value in response.headers.items():
            assert not re.search(r"[\r\n\x00]", name + value), (sent, name, value)
        if response.status >= 400 and sent.method != "HEAD":
            inner = response.body.get("error", response.body)
            assert inner["code"], (sent, response)
        return f"{text} {dict(response.headers)}".lower()

    def _keep_apart(self, side: str, text: str) -> None:
        """What is in an answer and is another's must be what this side has asked for."""
        other = "customer" if side == "isv" else "isv"
        theirs, mine, link = self._guids(other), self._guids(side), self._linked(side)
        leaked = (set(GUID.findall(text)) & theirs) - mine - set(GUID.findall(self.said[side] + link))
        assert not leaked, (side, leaked, text[:2000])
        for resource_id in re.findall(rf"/subscriptions/{self.subscriptions[other]}/[\w./-]*", text):
            assert resource_id.rstrip(".") in link + self.said[side], (side, resource_id)

    def _guids(self, side: str) -> set[str]:
        """Every guid in a side's resources, and its subscription."""
        own = f"/subscriptions/{self.subscriptions[side]}/"
        bodies = [body for body in self.box.azure.store if body["id"].lower().startswith(own)]
        return set(GUID.findall(json.dumps(bodies).lower())) | {self.subscriptions[side]}

    def _linked(self, side: str) -> str:
        """The ids that a private link shows to this side: services that it asked for, or endpoints that asked."""
        store = self.box.azure.store
        if side == "customer":
            asked: list[Any] = [json.dumps(body) for body in store.of_type("Microsoft.Network/privateEndpoints")]
            aliases = [body["properties"]["alias"] for body in store.of_type("Microsoft.Network/privateLinkServices")]
            return " ".join(asked + aliases).lower()
        services = store.of_type("Microsoft.Network/privateLinkServices")
        return json.dumps([body["properties"]["privateEndpointConnections"] for body in services]).lower()


def test_nothing_that_is_sent_breaks_anything(record_property: Callable[[str, object], None]) -> None:
    statuses: Counter[int] = Counter()

    @settings(max_examples=REQUESTS // IN_A_ROW, phases=PHASES)
    @given(st.lists(requests(targets()), min_size=IN_A_ROW, max_size=IN_A_ROW))
    def sent_in_a_row(row: list[Sent]) -> None:
        statuses.update(asyncio.run(_statuses_of(row)))

    sent_in_a_row()
    record_property("statuses", dict(sorted(statuses.items())))
    assert statuses.total() >= REQUESTS
    # Requests that only knock at the door would prove nothing.
    done = sum(number for status, number in statuses.items() if status < 300)
    assert done > statuses.total() / 10, statuses


async def _statuses_of(row: list[Sent]) -> list[int]:
    """Send requests to a sandbox of their own, until all that they started has ended; then everything must fit."""
    fuzzed = Fuzzed()
    statuses = [await fuzzed.send(sent) for sent in row]
    await fuzzed.box.azure.operations.settle()
    assert problems(fuzzed.box.azure.store) == []
    fuzzed.box.azure.operations.close()
    return statuses
