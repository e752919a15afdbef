"""What is always there in the recorded answers of a type is there in the sandbox's, at each recorded api-version."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from tests.conformance.estate import LOCATION, estate
from tests.conformance.recordings import EVIDENCE
from tests.conformance.replay import Client
from tests.conformance.versions import OURS, version_for
from tests.support.served import Served, serve

SHAPES = EVIDENCE / "_shapes.jsonl"
OLDEST = "2020-05-01"
"""What is older comes from another time of Azure."""

pytestmark = pytest.mark.skipif(
    not SHAPES.exists(), reason=f"no {SHAPES.name} in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names its folder"
)

NAMED_BY_USERS = re.compile(r"(\btags|\bmetadata)\..*")

SENT = {
    "microsoft.network/loadbalancers": "tags zones publicIPAddress loadBalancingRules outboundRules inboundNatRules",
    "microsoft.network/loadbalancers/backendaddresspools": "loadBalancingRules outboundRules",
    "microsoft.network/networkinterfaces": (
        "tags macAddress primary virtualMachine networkSecurityGroup publicIPAddress loadBalancerBackendAddressPools"
    ),
    "microsoft.network/privateendpoints": "groupIds",
    "microsoft.network/privatelinkservices": "autoApproval visibility",
    "microsoft.network/virtualnetworks": "tags dhcpOptions",
}
"""What recorded answers have because every recorded request of that api-version asked for it."""

ODD = {
    ("microsoft.network/virtualnetworks/subnets", "2023-05-01"): "whole networks were counted as subnets",
    ("microsoft.network/virtualnetworks/subnets", "2020-06-01"): "`subnetID` is Azure Stack's",
    ("microsoft.network/virtualnetworks", "2020-06-01"): "`subnetID` is Azure Stack's",
}
"""Rows that say nothing of today's Azure."""


@dataclass(frozen=True)
class Shape:
    """The keys of the recorded answers to one method, for one type at one api-version."""

    kind: str
    api_version: str
    method: str
    required: frozenset[str]
    optional: frozenset[str]

    @property
    def name(self) -> str:
        """How the test is called."""
        return f"{self.method} {self.kind.partition('/')[2]} {self.api_version}"


def _shapes() -> list[Shape]:
    if not SHAPES.exists():
        return []
    rows = [json.loads(line) for line in SHAPES.read_text(encoding="utf-8").splitlines()]
    return [
        Shape(row["rtype"], row["api_version"], row["method"], _names(row["required"]), _names(row["optional"]))
        for row in rows
        if row["api_version"] >= OLDEST and (row["rtype"], row["api_version"]) not in ODD
    ]


def _names(keys: Iterable[str]) -> frozenset[str]:
    return frozenset(NAMED_BY_USERS.sub(r"\1", key) for key in keys)


def _keys(value: Any, where: str = "") -> Iterator[str]:
    """Every key of an answer as `a.b[].c`."""
    if isinstance(value, list):
        for item in value:
            yield from _keys(item, f"{where}[]")
    elif isinstance(value, dict):
        for name, inner in value.items():
            path = f"{where}.{name}".lstrip(".")
            yield path
            yield from _keys(inner, path)


class Estate:
    """The resources of `estate`, in a served sandbox."""

    def __init__(self, client: Client, subscription: str) -> None:
        self._client = client
        self._group = f"/subscriptions/{subscription}/resourceGroups/shapes"
        client.call("PUT", f"{self._group}?api-version=2021-04-01", {"location": LOCATION})
        self._wanted = estate(self._group, f"{self._group}/providers/Microsoft.Storage/storageAccounts/account")
        for wanted in self._wanted:
            target = f"{self._group}/providers/{wanted.path}?api-version={version_for(wanted.path, OURS)}"
            answer = client.call("PUT", target, wanted.body)
            assert answer.status < 300, (wanted.path, answer)
            assert client.follow(answer) in ("", "Succeeded"), wanted.path

    @cached_property
    def _parts(self) -> dict[str, list[str]]:
        """Parts of the full balancer and the full service, by type."""
        network = f"{self._group}/providers/Microsoft.Network"
        balancer = f"{network}/loadBalancers/full"
        target = f"{network}/privateLinkServices/full/privateEndpointConnections"
        connections = self._client.call("GET", f"{target}?api-version=2024-05-01").body["value"]
        named = {
            "frontendIPConfigurations": "front",
            "loadBalancingRules": "rule",
            "probes": "probe",
            "backendAddressPools": "pool",
        }
        parts = {
            f"microsoft.network/loadbalancers/{kind.lower()}": [f"{balancer}/{kind}/{name}"]
            for kind, name in named.items()
        }
        return {**parts, "microsoft.network/privatelinkservices/privateendpointconnections": [connections[0]["id"]]}

    def answers(self, shape: Shape, *, full: bool) -> list[frozenset[str]]:
        """The keys of our answers: to a GET, to that put back, or to new tags."""
        paths = [
            f"{self._group}/providers/{wanted.path}"
            for wanted in self._wanted
            if wanted.full == full and wanted.kind == shape.kind
        ]
        return [self._answer(shape, path) for path in paths + (self._parts.get(shape.kind, []) if full else [])]

    def _answer(self, shape: Shape, path: str) -> frozenset[str]:
        target = f"{path}?api-version={shape.api_version}"
        answer = self._client.call("GET", target)
        if shape.method == "PUT":
            answer = self._client.call("PUT", target, answer.body)
            self._client.follow(answer)
        elif shape.method == "PATCH":
            answer = self._client.call("PATCH", target, {"tags": {"a": "b"}})
        assert answer.status == 200, (target, answer)
        return _names(_keys(answer.body))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("shapes"), "empty") as served:
        yield served


@pytest.fixture(scope="module")
def ours(served: Served) -> Iterator[Estate]:
    context = ssl.create_default_context(cafile=served.ready["ca"])
    client = Client(served.ready["arm"], context, served.token("isv"))
    yield Estate(client, served.ready["subscriptions"]["isv"])
    client.close()


@pytest.mark.parametrize("shape", _shapes(), ids=lambda shape: shape.name)
def test_an_answer_has_what_recorded_ones_have(shape: Shape, ours: Estate) -> None:
    full = ours.answers(shape, full=True)
    assert full, "nothing of this type was made"
    assert sorted(shape.required - frozenset().union(*full)) == []

    sent = SENT.get(shape.kind, "").split()
    for brief in ours.answers(shape, full=False):
        missing = [key for key in shape.required - brief if _stands_alone(key, brief)]
        assert [key for key in missing if not any(word in re.split(r"\W+", key) for word in sent)] == []


def _stands_alone(key: str, answer: frozenset[str]) -> bool:
    """Whether a key is not merely inside of an array that is empty here."""
    array = key.rpartition("[]")[0]
    return not array or any(other.startswith(f"{array}[].") for other in answer)


def test_an_answer_that_asked_for_nothing_has_nothing_unheard_of(ours: Estate) -> None:
    """Keys that no recorded answer of a type has at any api-version."""
    heard: dict[str, set[str]] = {}
    for shape in _shapes():
        heard.setdefault(shape.kind, set()).update(shape.required | shape.optional)
    newest = {shape.kind: shape for shape in _shapes() if shape.method == "GET"}

    unheard = {
        (shape.kind, key)
        for shape in newest.values()
        for brief in ours.answers(shape, full=False)
        for key in brief - heard[shape.kind]
    }

    assert unheard == set()
