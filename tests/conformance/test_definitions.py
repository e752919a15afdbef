"""The sandbox against the published definitions: everything there is in a world, asked for one by one and in lists."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from plstui.domain.ids import ResourceId
from tests.conformance.definitions import Definitions
from tests.conformance.recordings import EVIDENCE, Exchange, files, load
from tests.conformance.replay import Answer, Client
from tests.conformance.versions import OURS, version_for
from tests.support.served import Served, serve

pytestmark = pytest.mark.skipif(
    not files(), reason=f"no definitions in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names their folder"
)

SEEN_ELSEWHERE = frozenset({"defaultOutboundConnectivityEnabled", "enableConnectionTracking", "tier"})
"""Undocumented properties of real answers that none of the recordings here has; the tier is that of NAT gateways."""


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return Definitions(EVIDENCE / "swagger")


@pytest.fixture(scope="module")
def undocumented(definitions: Definitions) -> frozenset[str]:
    """The properties that Azure's own answers have and the definitions do not."""
    beyond = {
        path.rpartition(".")[2]
        for exchange in _recorded()
        for path in definitions.strangers(exchange.method, exchange.path, exchange.status, exchange.body)
    }
    return frozenset(beyond) | SEEN_ELSEWHERE


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("definitions"), "approved") as served:
        yield served


@pytest.fixture(scope="module")
def clients(sandbox: Served) -> Iterator[dict[str, Client]]:
    """By subscription."""
    context = ssl.create_default_context(cafile=sandbox.ready["ca"])
    sides = {
        subscription: Client(sandbox.ready["arm"], context, sandbox.token(side))
        for side, subscription in sandbox.ready["subscriptions"].items()
    }
    yield sides
    for client in sides.values():
        client.close()


def _recorded() -> Iterator[Exchange]:
    for path in files():
        yield from load(path)


def test_the_definitions_hold_for_azure_itself(definitions: Definitions) -> None:
    """What they refuse is wrong, then, and not merely unusual."""
    checked = [exchange for exchange in _recorded() if definitions.knows(exchange.method, exchange.path)]

    assert len(checked) > 200
    for exchange in checked:
        faults = definitions.faults(exchange.method, exchange.path, exchange.status, exchange.body)
        assert not list(faults), (exchange.method, exchange.path)


def test_the_definitions_refuse_what_is_wrong(definitions: Definitions) -> None:
    exchange = next(e for e in _recorded() if e.kind == "Microsoft.Network/privateEndpoints" and e.method == "PUT")

    def faults(status: int = exchange.status, **properties: Any) -> list[str]:
        body = deepcopy(exchange.body)
        body["properties"].update(properties)
        return list(definitions.faults("PUT", exchange.path, status, body))

    assert not faults()
    assert faults(status=202) == ["status 202 is not one of 200, 201, default"]
    assert "is not of type 'array'" in faults(networkInterfaces={})[0]
    assert "does not match" in faults(provisioningState="Thinking")[0]
    beyond = {**exchange.body, "properties": {**exchange.body["properties"], "privateIpAddress": "10.0.0.4"}}
    assert "properties.privateIpAddress" in definitions.strangers("PUT", exchange.path, exchange.status, beyond)


def test_everything_in_a_world_has_the_form_that_is_defined(
    sandbox: Served, clients: dict[str, Client], definitions: Definitions, undocumented: frozenset[str]
) -> None:
    open_paths = [resource["id"] for resource in sandbox.control("GET", "/state")["resources"]]
    asked: dict[str, Answer] = {}
    wrong = []
    while open_paths:
        path = open_paths.pop()
        if path.lower() in asked:
            continue
        answer = clients[path.split("/")[2]].call("GET", f"{path}?api-version={version_for(path, OURS)}")
        asked[path.lower()] = answer
        if definitions.knows("GET", path):
            strangers = definitions.strangers("GET", path, answer.status, answer.body)
            found = [*definitions.faults("GET", path, answer.status, answer.body)]
            found += [name for name in strangers if name.rpartition(".")[2] not in undocumented]
            wrong += [f"{path}: {fault}" for fault in found] + ([f"{path}: {answer}"] if answer.status != 200 else [])
        if answer.status == 200:
            open_paths += _lists_with(path) if "value" not in answer.body else ()
            open_paths += _resources_in(answer.body)

    assert not wrong, "\n".join(wrong)
    known = [path for path, answer in asked.items() if answer.status == 200 and definitions.knows("GET", path)]
    assert len(known) > 80


def _lists_with(path: str) -> Iterator[str]:
    """The lists that show a resource: beside it, and for a whole one over the subscription."""
    resource = ResourceId(path)
    if "/providers/" not in path:
        yield path.rpartition("/")[0]
        return
    beside = path.rpartition("/")[0]
    yield beside
    if resource.parent is None:
        yield re.sub(r"/resourcegroups/[^/]+", "", beside, flags=re.IGNORECASE)


def _resources_in(body: Any) -> Iterator[str]:
    """Ids of what is shown with its properties, wherever it stands."""
    stack = [body]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "properties" in node and str(node.get("id", "")).startswith("/subscriptions/"):
                yield node["id"]
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
