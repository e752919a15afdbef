"""`sandbox serve --faults FILE`: every kind of fault from one file, and what is said of a file that is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from plstui.sandbox.faults import KINDS
from tests.sandbox.calls import CUT, GROUP, GROUPS, SERVICE, call, end_of, openssh, send
from tests.support.served import Served, run_plstui, serve

NETWORK = "Microsoft.Network"
RULE = f"{GROUP}/providers/{NETWORK}/loadBalancers/loadBalancer/loadBalancingRules/http"
WEB_ADDRESSES = {"web1": "10.0.1.4", "web2": "10.0.1.5", "web3": "10.0.1.6"}


def once(kind: str, type: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "type": f"{NETWORK}/{type}", "times": 1, **more}


EVERYTHING = [
    once("throttle", "virtualNetworks", method="GET", retry_after=7),
    once("error", "virtualNetworks", method="GET", status=500),
    once("error", "virtualNetworks", method="GET", status=502),
    once("error", "virtualNetworks", method="GET", status=503),
    once("html", "virtualNetworks", method="GET"),
    once("retryable", "virtualNetworks"),
    once("busy", "virtualNetworks"),
    once("slow", "networkSecurityGroups", method="GET", seconds=3000),
    once("drop", "networkInterfaces"),
    once("fail-operation", "applicationSecurityGroups", code="Doomed"),
    once("expire-tokens", "natGateways"),
    {"kind": "stale", "type": f"{NETWORK}/privateLinkServices", "seconds": 300},
    {"kind": "hang", "machine": "web2"},
    {"kind": "change-host-key", "machine": "web3"},
]
"""One fault of every kind, each where no other meets it; those of one type come one after the other."""


def write(folder: Path, *faults: dict[str, Any]) -> str:
    """A file with these faults."""
    file = folder / "faults.json"
    file.write_text(json.dumps({"seed": 7, "faults": faults}))
    return str(file)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("everything")
    with serve(folder, "approved", "--faults", write(folder, *EVERYTHING)) as served:
        yield served


def listed(sandbox: Served, type: str) -> tuple[int, Any, Any]:
    return call(sandbox, "GET", f"/providers/{NETWORK}/{type}")


def page(sandbox: Served, machine: str) -> tuple[int, str]:
    """curl's exit code and output when the page of a machine is fetched from web1."""
    done = openssh(sandbox, "web1", "curl", "-s", "--connect-timeout", "1", f"http://{WEB_ADDRESSES[machine]}/")
    return done.returncode, done.stdout.strip()


def health(sandbox: Served) -> dict[str, str]:
    """Up or Down, by machine, as the balancer says."""
    status, headers, _ = call(sandbox, "POST", f"{RULE}/health")
    assert status == 202
    result = headers["Location"].removeprefix(sandbox.ready["arm"])
    _, _, body = send(sandbox, "GET", result)
    names = {address: name for name, address in WEB_ADDRESSES.items()}
    return {names[member["ipAddress"]]: member["state"] for member in body["loadBalancerBackendAddresses"]}


def test_no_kind_is_left_out() -> None:
    assert {fault["kind"] for fault in EVERYTHING} == set(KINDS)


def test_requests_are_refused_one_way_after_the_other(sandbox: Served) -> None:
    answers = [listed(sandbox, "virtualNetworks") for _ in range(6)]

    assert [status for status, _, _ in answers] == [429, 500, 502, 503, 502, 200]
    assert answers[0][1]["Retry-After"] == "7"
    assert [headers.get_content_type() for _, headers, _ in answers].index("text/html") == 4


def test_writes_are_refused_until_others_are_ready(sandbox: Served) -> None:
    path = f"{GROUP}/providers/{NETWORK}/virtualNetworks/virtualNetwork"
    answers = [call(sandbox, "PATCH", path, {"tags": {}}) for _ in range(3)]

    assert [status for status, _, _ in answers] == [429, 409, 200]
    codes = [body["error"]["code"] for _, _, body in answers[:2]]
    assert codes == ["RetryableError", "AnotherOperationInProgress"]


def test_an_answer_is_slow(sandbox: Served) -> None:
    path = f"{GROUP}/providers/{NETWORK}/networkSecurityGroups/networkSecurityGroup"
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(call, sandbox, "GET", path)
        while f"slow GET {NETWORK}/networkSecurityGroups" not in sandbox.control("GET", "/faults")["happened"]:
            assert not slow.done()
        call(sandbox, "PATCH", path, {"tags": {"meanwhile": "written"}})
        sandbox.control("POST", "/clock/advance", {"seconds": 3000})
        status, _, body = slow.result()
    # What was written after it had been asked is in it.
    assert (status, body["tags"]) == (200, {"meanwhile": "written"})


def test_a_connection_is_cut(sandbox: Served) -> None:
    with pytest.raises(CUT):
        listed(sandbox, "networkInterfaces")
    assert listed(sandbox, "networkInterfaces")[0] == 200


def test_an_operation_fails(sandbox: Served) -> None:
    path = f"{GROUP}/providers/{NETWORK}/applicationSecurityGroups/doomed"
    status, headers, _ = call(sandbox, "PUT", path, {"location": "westeurope"})
    end = end_of(sandbox, headers)

    assert (status, end["status"], end["error"]["code"]) == (201, "Failed", "Doomed")


def test_tokens_expire(sandbox: Served) -> None:
    assert listed(sandbox, "natGateways")[0] == 401
    assert listed(sandbox, "natGateways")[0] == 200


def test_a_get_is_stale_for_a_while(sandbox: Served) -> None:
    _, _, before = call(sandbox, "GET", SERVICE)
    call(sandbox, "PATCH", SERVICE, {"tags": {"stale": "no"}})

    assert call(sandbox, "GET", SERVICE)[2] == before
    sandbox.control("POST", "/clock/advance", {"seconds": 301})
    assert call(sandbox, "GET", SERVICE)[2]["tags"] == {"stale": "no"}


def test_a_machine_hangs_and_its_balancer_knows(sandbox: Served) -> None:
    ssh = openssh(sandbox, "-o", "ConnectTimeout=1", "web2", "hostname")

    assert (ssh.returncode, ssh.stdout) == (255, "")
    assert "timed out" in ssh.stderr
    assert page(sandbox, "web2") == (28, "")
    assert health(sandbox) == {"web1": "Up", "web2": "Down", "web3": "Up"}


def test_a_host_key_is_another_and_openssh_refuses_it(sandbox: Served) -> None:
    ssh = openssh(sandbox, "web3", "hostname")

    assert (ssh.returncode, ssh.stdout) == (255, "")
    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in ssh.stderr
    assert page(sandbox, "web3") == (0, "Host: web3")


def test_a_machine_is_well_until_its_time_has_come(tmp_path: Path) -> None:
    faults = [
        {"kind": "hang", "machine": "WEB2", "after": 600},
        {"kind": "change-host-key", "machine": "web2", "after": 60},
    ]
    with serve(tmp_path, "approved", "--faults", write(tmp_path, *faults)) as sandbox:
        assert openssh(sandbox, "web2", "hostname").stdout == "web2\n"
        sandbox.control("POST", "/clock/advance", {"seconds": 60})
        assert "HAS CHANGED" in openssh(sandbox, "web2", "hostname").stderr
        assert page(sandbox, "web2") == (0, "Host: web2")
        sandbox.control("POST", "/clock/advance", {"seconds": 540})
        assert page(sandbox, "web2") == (28, "")
        assert sandbox.control("GET", "/faults")["happened"] == ["change-host-key web2", "hang web2"]
        while health(sandbox)["web2"] == "Up":
            sandbox.control("POST", "/clock/advance", {"seconds": 15})
        # What has happened to a machine outlives the plan.
        sandbox.control("POST", "/faults", {"faults": []})
        assert page(sandbox, "web2") == (28, "")
        sandbox.control("POST", "/machines/web2/start")
        assert page(sandbox, "web2") == (0, "Host: web2")


def test_a_plan_is_in_force_from_the_start(tmp_path: Path) -> None:
    with serve(tmp_path, "empty", "--faults", write(tmp_path, {"kind": "error", "status": 500})) as sandbox:
        assert call(sandbox, "GET", GROUPS)[0] == 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON: see line 1, column 2."),
        ("[" * 100_000, "it is nested too deeply."),
        ("[]", "holds no JSON object"),
        ('{"faults": [{"kind": "luck"}]}', "luck"),
        ('{"faults": [{"kind": "error", "rate": 2}]}', "rate"),
        ('{"faults": [{}]}', "needs a kind"),
        ('{"faults": [{"kind": "error", "status": 42}]}', "status"),
        ('{"faults": [{"kind": "drop", "times": -1}]}', "times"),
        ('{"faults": [{"kind": "slow", "seconds": -1}]}', "seconds"),
        ('{"faults": [{"kind": "slow", "machine": "web1"}]}', "A fault of kind slow has no 'machine'"),
        ('{"faults": [{"kind": "hang"}]}', "needs a machine"),
        ('{"faults": [{"kind": "hang", "machine": 7}]}', "machine"),
        ('{"faults": [{"kind": "hang", "machine": "web9"}]}', "There is no machine 'web9'"),
        ('{"faults": [{"kind": "hang", "machine": "web1", "seconds": 5}]}', "it may have kind, machine, after."),
    ],
)
def test_a_plan_that_is_wrong_is_told(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(text)

    run = run_plstui("sandbox", "serve", "--world", "empty", "--faults", str(file), home=tmp_path)

    assert run.exit_code == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
