"""`plstui doctor` as a person and a script have it."""

from __future__ import annotations

import json
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from plstui.cli.doctor import examine_once, finding_json
from plstui.compose import Options
from plstui.domain.errors import PlstuiError
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.messages import Request, Response
from tests.domain.findings.ward import Ward, ward
from tests.support.served import Served, serve

FORBIDDEN = Response(403, {"error": {"code": "AuthorizationFailed", "message": "The client may not do that."}})
FIELDS = {"rule", "severity", "where", "evidence", "what", "remedy", "az", "fix"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The rejected world, which nobody here changes."""
    with serve(tmp_path_factory.mktemp("sandbox"), "rejected") as served:
        yield served


@pytest.fixture
async def approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab as it is when it works."""
    async with ward(tmp_path, monkeypatch) as made:
        yield made


def test_the_document_names_the_cause_first(served: Served) -> None:
    run = served.plstui("doctor", "--json")

    assert run.exit_code == 1
    document = run.json
    assert set(document) >= {"findings", "ok", "generated_at"}
    assert document["ok"] is False
    first = document["findings"][0]
    assert set(first) >= FIELDS
    assert (first["rule"], first["severity"], first["fix"]) == ("connection-rejected", "error", "approve")
    assert first["evidence"] == {"privateLinkServiceConnectionState.status": "Rejected"}
    assert [finding["severity"] for finding in document["findings"]] == ["error", "info"]
    assert run.stderr == ""


def test_a_person_reads_what_why_and_what_mends_it(served: Served) -> None:
    run = served.plstui("doctor", "--probe")

    assert run.exit_code == 1
    lines = [line.strip() for line in run.stdout.splitlines()]
    assert lines[0] == "✖ error    The ISV has rejected the request of saasPrivateEndpoint.  [connection-rejected]"
    assert "✔" not in run.stdout
    place = shlex.join(("--config", str(served.config)))
    approve = next(line for line in lines if line.startswith(f"$ plstui connections approve {place} /subscriptions/"))
    connection = approve.rpartition(" ")[2]
    assert ResourceId(connection).name.startswith("saasPrivateEndpoint.")
    assert any(line.startswith("$ az network private-link-service connection update") for line in lines)


async def test_where_all_is_well(approved: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    assert await examine_once(approved.runtime, probes=True, as_json=False) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "✔ Nothing is wrong."
    assert lines[1].startswith("· info     Silent connections end")


async def test_a_name_that_the_customers_own_server_does_not_know(
    approved: Ward, capsys: pytest.CaptureFixture[str]
) -> None:
    async with approved.changing(approved.consumer.network) as network:
        network["properties"]["dhcpOptions"] = {"dnsServers": ["10.1.0.250"]}

    assert await examine_once(approved.runtime, probes=True, as_json=True) == 1

    first, *others = json.loads(capsys.readouterr().out)["findings"]
    assert (first["rule"], first["where"]) == ("page-not-through", approved.consumer.record.text)
    assert f"{approved.consumer.record.name}.{approved.consumer.zone.name}" in first["what"]
    assert {finding["severity"] for finding in others} == {"info"}


async def test_a_step_of_the_lab_is_a_command(approved: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        balancer["properties"]["loadBalancingRules"] = []

    assert await examine_once(approved.runtime, probes=False, as_json=False) == 1
    assert "           $ plstui lab up --until rule\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (Options(Path("my lab/plstui.toml")), "--config 'my lab/plstui.toml'"),
        (Options(sandbox="https://127.0.0.1:4443"), "--sandbox=https://127.0.0.1:4443"),
        (Options(override={"isv": {"subscription": "one"}, "ui": {"read_only": True}}), "--isv one"),
        (
            Options(Path("x.toml"), override={"customer": {"subscription": "two"}, "isv": {"subscription": "a b"}}),
            "--config x.toml --isv 'a b' --customer two",
        ),
    ],
)
async def test_a_command_leads_to_where_this_one_has_looked(
    options: Options, place: str, approved: Ward, capsys: pytest.CaptureFixture[str]
) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        balancer["properties"]["loadBalancingRules"] = []

    assert await examine_once(approved.runtime, options, probes=False, as_json=False) == 1
    assert f"           $ plstui lab up {place} --until rule\n" in capsys.readouterr().out


async def test_a_side_that_cannot_be_read_is_not_well(approved: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    async def broken(request: Request) -> Response | None:
        theirs = approved.box.customer.subscription.id in request.path
        return Response(503, {"error": {"code": "ServiceUnavailable", "message": "Later."}}) if theirs else None

    approved.meddle = broken

    assert await examine_once(approved.runtime, probes=False, as_json=True) == 1

    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["ok"] is False
    assert {finding["severity"] for finding in document["findings"]} <= {"info"}
    assert "The Customer's side could not be read" in captured.err


async def test_what_may_not_be_read_is_not_well(approved: Ward, capsys: pytest.CaptureFixture[str]) -> None:
    async def forbidden(request: Request) -> Response | None:
        return FORBIDDEN if request.method == "GET" and "/providers/Microsoft.Network/" in request.path else None

    approved.meddle = forbidden

    assert await examine_once(approved.runtime, probes=False, as_json=True) == 1

    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert [finding["rule"] for finding in document["findings"]] == ["not-looked-at", "not-looked-at"]
    assert await examine_once(approved.runtime, probes=False, as_json=False) == 1
    assert "✔" not in capsys.readouterr().out


async def test_no_side_can_be_read(approved: Ward) -> None:
    async def broken(request: Request) -> Response | None:
        return Response(503, {"error": {"code": "ServiceUnavailable", "message": "Later."}})

    approved.meddle = broken

    with pytest.raises(PlstuiError):
        await examine_once(approved.runtime, probes=False, as_json=True)


async def test_one_side_is_all_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLSTUI_CUSTOMER_SUBSCRIPTION", "")
    async with ward(tmp_path, monkeypatch, "pending") as isv:
        assert await examine_once(isv.runtime, probes=False, as_json=True) == 1

    (first, *_) = json.loads(capsys.readouterr().out)["findings"]
    assert (first["rule"], first["fix"]) == ("connection-pending", "approve")


def test_hostile_words_do_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "\x1b[2J\x07name\u202e\n" + "A" * 10_000
    finding = Finding(
        rule="r", severity=Severity.ERROR, where=ResourceId(evil), what=evil, remedy=evil, evidence={"page": evil}
    )

    document = finding_json(finding)

    assert document["what"].isprintable()
    assert document["evidence"]["page"].isprintable()
    assert len(document["what"]) <= 1000
    assert (document["az"], document["fix"]) == (None, None)
