"""The proxy that cuts: what it says of itself is so. What plstui does behind it is told in other files."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.cutting import SECONDS, CuttingProxy, Harm, cutting
from tests.support.served import Served, run_plstui, serve

METADATA = "/metadata/endpoints"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("served"), "pending") as sandbox:
        yield sandbox


@pytest.fixture
def proxy(served: Served, tmp_path: Path) -> Iterator[CuttingProxy]:
    with cutting(served, tmp_path) as between:
        yield between


def ask(proxy: CuttingProxy, tmp_path: Path, seconds: float = SECONDS) -> tuple[int, bytes]:
    """What one plain request brings, by a client that never repeats it."""
    at = urlsplit(proxy.address)
    tls = ssl.create_default_context(cafile=tmp_path / "cutting-ca.pem")
    client = http.client.HTTPSConnection(str(at.hostname), at.port, timeout=seconds, context=tls)
    try:
        client.request("GET", f"{METADATA}?api-version=2022-09-01")
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()


def test_everything_passes_and_polls_come_by_too(served: Served, proxy: CuttingProxy, tmp_path: Path) -> None:
    done = run_plstui("--config", str(proxy.config), "connections", "list", "--json", home=tmp_path)
    name = done.json["connections"][0]["id"]
    decided = run_plstui("--config", str(proxy.config), "connections", "approve", name, "--yes", home=tmp_path)

    assert decided.exit_code == 0, decided.stderr
    assert len(proxy.taken("PUT", "/privateEndpointConnections/")) == 1
    assert proxy.taken("GET", "/operations/"), "polls pass it too"
    assert json.loads(proxy.taken("PUT")[0].body)["properties"]


@pytest.mark.parametrize(
    ("harm", "reached"), [(Harm.CUT_BEFORE, 0), (Harm.CUT_AFTER, 1), (Harm.HALF, 1), (Harm.NOT_HTTP, 1)]
)
def test_harm_is_done_once_and_then_all_is_well(proxy: CuttingProxy, tmp_path: Path, harm: Harm, reached: int) -> None:
    proxy.harm(harm, "GET", METADATA)

    with pytest.raises((OSError, http.client.HTTPException)):
        ask(proxy, tmp_path)

    assert (len(proxy.asked("GET", METADATA)), len(proxy.taken("GET", METADATA))) == (1, reached)
    status, body = ask(proxy, tmp_path)
    assert (status, json.loads(body)["resourceManager"].rstrip("/")) == (200, proxy.address)


def test_what_is_not_json_comes_with_the_server_s_status(proxy: CuttingProxy, tmp_path: Path) -> None:
    proxy.harm(Harm.NOT_JSON, "GET", METADATA, skip=1)

    assert json.loads(ask(proxy, tmp_path)[1])
    assert ask(proxy, tmp_path) == (200, b'<p>{"oops": ')


def test_a_stalled_request_is_answered_to_nobody(proxy: CuttingProxy, tmp_path: Path) -> None:
    proxy.harm(Harm.STALL, "GET", METADATA)

    with pytest.raises(TimeoutError):
        ask(proxy, tmp_path, seconds=0.5)

    proxy.wait_until(lambda: len(proxy.taken("GET", METADATA)) == 1)


def test_a_late_request_lands_when_its_client_has_gone(proxy: CuttingProxy, tmp_path: Path) -> None:
    proxy.harm(Harm.LATE, "GET", METADATA)

    with pytest.raises(TimeoutError):
        ask(proxy, tmp_path, seconds=0.5)

    assert not proxy.taken("GET", METADATA)
    proxy.let_go()
    proxy.wait_until(lambda: len(proxy.taken("GET", METADATA)) == 1)
