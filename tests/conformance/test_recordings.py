"""The sandbox against recorded traffic of the real Azure."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.definitions import Definitions
from tests.conformance.known import KNOWN, Known, find
from tests.conformance.recordings import EVIDENCE, Bindings, files, load
from tests.conformance.replay import Client, replay
from tests.conformance.versions import OURS
from tests.support.served import Served, serve

pytestmark = pytest.mark.skipif(
    not files(), reason=f"no recordings in {EVIDENCE}; PLSTUI_ARM_EVIDENCE names their folder"
)


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


@pytest.fixture(scope="module")
def met() -> set[Known]:
    """The known differences that were met."""
    return set()


@pytest.fixture(scope="module")
def replayed() -> list[Path]:
    """The recordings that were replayed; each twice."""
    return []


@pytest.mark.parametrize("ours", [False, True], ids=["recorded", "ours"])
@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_a_recording_replays(
    path: Path,
    ours: bool,
    client: Client,
    sandbox: Served,
    definitions: Definitions,
    met: set[Known],
    replayed: list[Path],
) -> None:
    exchanges = load(path)
    prefix = f"{path.stem.rpartition('__')[2][:40]}-{ours}".replace("_", "-").replace(".", "-").lower()
    bindings = Bindings.start(exchanges, sandbox.ready["subscriptions"]["isv"], prefix)

    unexpected = []
    for exchange, difference in replay(exchanges, client, bindings, OURS if ours else {}, definitions):
        operation = f"{exchange.method} {exchange.kind}"
        known = find(path.name, operation, difference, ours=ours, date=exchange.date, api_version=exchange.api_version)
        if known is None:
            unexpected.append(f"#{exchange.seq} {operation}: {difference}")
        else:
            met.add(known)

    replayed.append(path)
    assert not unexpected, "\n".join(unexpected)


def test_every_known_difference_is_one(met: set[Known], replayed: list[Path]) -> None:
    """What no recording shows any more goes from the table."""
    if len(replayed) < 2 * len(files()):
        pytest.skip("not every recording was replayed")
    assert not [known for known in KNOWN if known not in met]
