"""The recordings in other words: other names, groups, regions, addresses, tags and orders, in another subscription."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.definitions import Definitions
from tests.conformance.known import find
from tests.conformance.recordings import EVIDENCE, Bindings, files, load
from tests.conformance.renamed import Renaming
from tests.conformance.replay import Client, replay
from tests.conformance.versions import OURS
from tests.support.served import Served, serve

pytestmark = pytest.mark.skipif(
    not files(), reason=f"no recordings in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names their folder"
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("renamed"), "empty") as served:
        yield served


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return Definitions(EVIDENCE / "swagger")


@pytest.mark.parametrize("ours", [False, True], ids=["recorded", "ours"])
@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_recording_replays_in_other_words(path: Path, ours: bool, sandbox: Served, definitions: Definitions) -> None:
    recorded = load(path)
    renaming = Renaming.of(recorded)
    exchanges = [renaming.exchange(exchange) for exchange in recorded]
    assert not renaming.names.keys() & {word for exchange in exchanges for word in exchange.path.lower().split("/")}
    bindings = Bindings.start(
        exchanges, sandbox.ready["subscriptions"]["customer"], f"Team_{files().index(path)}.{ours}"
    )
    client = Client(
        sandbox.ready["arm"], ssl.create_default_context(cafile=sandbox.ready["ca"]), sandbox.token("customer")
    )

    differences = []
    for exchange, difference in replay(exchanges, client, bindings, OURS if ours else {}, definitions):
        operation, date, asked = f"{exchange.method} {exchange.kind}", exchange.date, exchange.api_version
        if find(path.name, operation, difference, ours=ours, date=date, api_version=asked) is None:
            differences.append(f"#{exchange.seq} {operation}: {difference}")
    client.close()

    assert not differences, "\n".join(differences)
