"""Faults on demand, as a client of a served sandbox meets them."""

from __future__ import annotations

import json
import re
import urllib.error
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.calls import CUT, GROUP, GROUPS, SERVICE, call, end_of, openssh
from tests.support.served import Served, serve

TIME = "%m/%d/%Y %I:%M:%S %p"
"""Times in ARM's sentence about an expired token."""


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

    with pytest.raises(CUT):
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

    status, _, body = call(sandbox, "GET", GROUPS)
    expiry, now = re.findall(r"'([^']*)'", body["error"]["message"])
    assert (status, body["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert datetime.strptime(expiry, TIME) < datetime.strptime(now, TIME)
    assert old != sandbox.token("isv")
    assert call(sandbox, "GET", GROUPS)[0] == 200


def test_another_plan_ends_what_was_to_happen_to_machines(sandbox: Served) -> None:
    plan(sandbox, {"kind": "hang", "machine": "web1", "after": 60})
    plan(sandbox)

    sandbox.control("POST", "/clock/advance", {"seconds": 60})
    assert openssh(sandbox, "-o", "ConnectTimeout=5", "web1", "hostname").stdout == "web1\n"
    assert sandbox.control("GET", "/faults")["happened"] == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "hang", "machine": "web9"}, "There is no machine 'web9'; there are"),
        ({"kind": "hang", "machine": "web1", "after": -1}, "The after of a fault is a number of seconds"),
    ],
)
def test_a_plan_that_is_wrong_changes_nothing(sandbox: Served, fault: dict[str, Any], words: str) -> None:
    plan(sandbox, {"kind": "error"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        plan(sandbox, {"kind": "hang", "machine": "web1"}, fault)
    with refused.value as error:
        assert error.code == 400
        assert words in json.loads(error.read())["error"]["message"]

    assert call(sandbox, "GET", GROUPS)[0] == 503
    assert openssh(sandbox, "-o", "ConnectTimeout=5", "web1", "hostname").stdout == "web1\n"


def test_plstui_says_what_azure_says(sandbox: Served) -> None:
    plan(sandbox, {"kind": "throttle", "retry_after": 9, "side": "isv"})

    run = sandbox.plstui("status", "--json")
    assert run.exit_code == 1
    assert run.json["isv"]["reachable"] is False
    assert "9 s" in run.json["isv"]["error"]
    assert run.json["customer"]["reachable"] is True
