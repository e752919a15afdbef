"""Faults on demand, as a client of a served sandbox meets them."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.served import PATIENCE, Served, run_plstui, serve

GROUP = "/resourceGroups/privatelink-pls-microhack-rg"
SERVICE = f"{GROUP}/providers/Microsoft.Network/privateLinkServices/saasPrivateLinkService"
GROUPS = "/resourcegroups"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serve(tmp_path_factory.mktemp("faults"), "pending") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Served) -> Iterator[Served]:
    yield served
    served.control("POST", "/faults", {"faults": []})


def plan(sandbox: Served, *faults: dict[str, Any], seed: int = 1) -> None:
    sandbox.control("POST", "/faults", {"seed": seed, "faults": list(faults)})


def call(sandbox: Served, method: str, path: str, body: Any = None, side: str = "isv") -> tuple[int, Any, Any]:
    """Status, headers and body of one request to a side's subscription."""
    target = f"/subscriptions/{sandbox.ready['subscriptions'][side]}{path}?api-version=2024-05-01"
    return send(sandbox, method, target, body, side)


def send(sandbox: Served, method: str, target: str, body: Any = None, side: str = "isv") -> tuple[int, Any, Any]:
    """The same for a whole path and query."""
    context = ssl.create_default_context(cafile=sandbox.ready["ca"])
    connection = http.client.HTTPSConnection(urlsplit(sandbox.ready["arm"]).netloc, context=context, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {sandbox.token(side)}", "Content-Type": "application/json"}
    try:
        connection.request(method, target, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    is_json = response.headers.get_content_type() == "application/json"
    return response.status, response.headers, json.loads(text) if text and is_json else text


def end_of(sandbox: Served, headers: Any) -> Any:
    """What the poll of an operation answers."""
    poll = urlsplit(headers["Azure-AsyncOperation"])
    return send(sandbox, "GET", f"{poll.path}?{poll.query}")[2]


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "throttle", "retry_after": 7}, 429, "TooManyRequests"),
        ({"kind": "error", "status": 500}, 500, "InternalServerError"),
        ({"kind": "error", "status": 503}, 503, "ServerTimeout"),
    ],
)
def test_a_request_is_refused(sandbox: Served, fault: dict[str, Any], status: int, code: str) -> None:
    plan(sandbox, {**fault, "times": 1})

    first, headers, body = call(sandbox, "GET", GROUPS)
    assert (first, body["error"]["code"]) == (status, code)
    assert headers.get("Retry-After") == ("7" if fault["kind"] == "throttle" else None)
    assert call(sandbox, "GET", GROUPS)[0] == 200
    assert len(sandbox.control("GET", "/faults")["happened"]) == 1


def test_a_proxy_answers_with_a_page(sandbox: Served) -> None:
    plan(sandbox, {"kind": "html"})

    status, headers, body = call(sandbox, "GET", GROUPS)
    assert (status, headers.get_content_type()) == (502, "text/html")
    assert body.startswith("<html>")


def test_a_connection_is_cut(sandbox: Served) -> None:
    plan(sandbox, {"kind": "drop"})

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLError)):
        call(sandbox, "GET", GROUPS)


def test_a_fault_keeps_to_its_side_method_and_type(sandbox: Served) -> None:
    plan(sandbox, {"kind": "error", "side": "customer", "method": "GET", "type": "Microsoft.Network/private*"})

    path = "/providers/Microsoft.Network/privateEndpoints"
    assert call(sandbox, "GET", path, side="customer")[0] == 503
    assert call(sandbox, "GET", path, side="isv")[0] == 200
    assert call(sandbox, "GET", GROUPS, side="customer")[0] == 200


def test_the_same_seed_brings_the_same_faults(sandbox: Served) -> None:
    def seen(seed: int) -> list[int]:
        plan(sandbox, {"kind": "throttle", "rate": 0.5}, seed=seed)
        return [call(sandbox, "GET", GROUPS)[0] for _ in range(12)]

    first = seen(5)
    assert first == seen(5)
    assert set(first) == {200, 429}


def test_an_operation_fails_in_its_poll_and_leaves_nothing_half_done(sandbox: Served) -> None:
    path = f"{GROUP}/providers/Microsoft.Network/applicationSecurityGroups/doomed"
    plan(sandbox, {"kind": "fail-operation", "type": "*/applicationSecurityGroups", "times": 1, "code": "Doomed"})

    status, headers, _ = call(sandbox, "PUT", path, {"location": "westeurope"})
    assert status == 201
    end = end_of(sandbox, headers)
    assert (end["status"], end["error"]["code"]) == ("Failed", "Doomed")
    _, headers, _ = call(sandbox, "PUT", path, {"location": "westeurope"})
    assert end_of(sandbox, headers)["status"] == "Succeeded"


def test_a_get_is_answered_as_it_was(sandbox: Served) -> None:
    plan(sandbox, {"kind": "stale", "seconds": 300, "type": "Microsoft.Network/privateLinkServices"})
    before = call(sandbox, "GET", SERVICE)[2]

    call(sandbox, "PATCH", SERVICE, {"tags": {"stale": "no"}})
    assert call(sandbox, "GET", SERVICE)[2] == before
    sandbox.control("POST", "/clock/advance", {"seconds": 301})
    assert call(sandbox, "GET", SERVICE)[2]["tags"] == {"stale": "no"}


def test_tokens_expire_and_a_new_one_is_good(sandbox: Served) -> None:
    old = sandbox.token("isv")
    plan(sandbox, {"kind": "expire-tokens", "times": 1})

    assert call(sandbox, "GET", GROUPS)[0] == 401
    assert old != sandbox.token("isv")
    assert call(sandbox, "GET", GROUPS)[0] == 200


def test_plstui_says_what_azure_says(sandbox: Served) -> None:
    plan(sandbox, {"kind": "throttle", "retry_after": 9, "side": "isv"})

    run = sandbox.plstui("status", "--json")
    assert run.exit_code == 1
    assert run.json["isv"]["reachable"] is False
    assert "9 s" in run.json["isv"]["error"]
    assert run.json["customer"]["reachable"] is True


def test_a_plan_from_a_file_is_in_force_from_the_start(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    file.write_text('{"faults": [{"kind": "error", "status": 500}]}')
    with serve(tmp_path, "empty", "--faults", str(file)) as started:
        assert call(started, "GET", GROUPS)[0] == 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "holds no JSON object"),
        ('{"faults": [{"kind": "luck"}]}', "luck"),
        ('{"faults": [{"kind": "error", "rate": 2}]}', "rate"),
        ('{"faults": [{}]}', "needs a kind"),
        ('{"faults": [{"kind": "error", "status": 42}]}', "status"),
        ('{"faults": [{"kind": "drop", "times": -1}]}', "times"),
    ],
)
def test_a_plan_that_is_wrong_is_told(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)

    run = run_plstui("sandbox", "serve", "--world", "empty", "--faults", str(file), home=tmp_path)

    assert run.exit_code == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
