"""The sandbox against recorded traffic of the real Azure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.definitions import Definitions
from tests.conformance.known import reason_for
from tests.conformance.recordings import EVIDENCE, Bindings, files, load
from tests.conformance.replay import Client, replay
from tests.support.served import Served, serve

pytestmark = pytest.mark.skipif(
    not files(), reason=f"no recordings in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names their folder"
)

OURS = {
    "microsoft.network": "2024-05-01",
    "microsoft.compute": "2024-07-01",
}
"""The api-versions that plstui's own clients use."""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("conformance"), "empty") as served:
        yield served


@pytest.fixture
def client(sandbox: Served) -> Iterator[Client]:
    ready = sandbox.ready
    context = ssl.create_default_context(cafile=ready["ca"])
    connection = Client(ready["arm"], context, sandbox.token("isv"))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return Definitions(EVIDENCE / "swagger")


@pytest.mark.parametrize("ours", [False, True], ids=["recorded", "ours"])
@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_recording_replays(path: Path, ours: bool, client: Client, sandbox: Served, definitions: Definitions) -> None:
    exchanges = load(path)
    prefix = f"{path.stem.rpartition('__')[2][:40]}-{ours}".replace("_", "-").replace(".", "-").lower()
    bindings = Bindings.start(exchanges, sandbox.ready["subscriptions"]["isv"], prefix)

    unexpected = [
        f"#{exchange.seq} {exchange.method} {exchange.kind}: {difference}"
        for exchange, difference in replay(exchanges, client, bindings, OURS if ours else {}, definitions)
        if reason_for(path.name, f"{exchange.method} {exchange.kind}", difference, ours=ours) is None
    ]

    assert not unexpected, "\n".join(unexpected)
