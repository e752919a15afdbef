"""A probe that was not possible is no good news."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from plstui.cli.doctor import examine_once
from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from tests.domain.findings.ward import Ward, told

PAGE, UNASKED = Attempt(host="web1"), Attempt(failure=Failure.JUMP, error="No way in.")


def result(ward: Ward, side: Side, machine: ResourceId, *attempts: Attempt) -> TargetResult:
    kind = TargetKind.BACKEND if side is Side.ISV else TargetKind.ENDPOINT
    return TargetResult(Target(machine.name, kind, side, "10.0.1.4", 80, machine), "", attempts)


async def found(ward: Ward, *results: TargetResult) -> list[Finding]:
    findings = told(replace(await ward.world(), results=results))
    assert healthy(findings) is not any(finding.rule == "probe-not-possible" for finding in findings)
    return [finding for finding in findings if finding.rule == "probe-not-possible"]


async def test_a_side_that_could_not_be_probed_is_told_once(approved: Ward) -> None:
    web1, web2, *_ = approved.provider.machines
    endpoint = result(approved, Side.CUSTOMER, approved.consumer.endpoint, UNASKED)

    isv, customer = await found(
        approved, result(approved, Side.ISV, web1, UNASKED), result(approved, Side.ISV, web2, UNASKED), endpoint
    )

    assert (isv.severity, isv.what) == (Severity.WARNING, "Nothing on the ISV's side could be probed.")
    assert isv.where == ResourceId(f"/subscriptions/{approved.box.isv.subscription.id}")
    assert isv.evidence == {"probe": "No way in."}
    assert "[isv.ssh]" in isv.remedy
    assert customer.where == ResourceId(f"/subscriptions/{approved.box.customer.subscription.id}")
    assert "[customer.ssh]" in customer.remedy


@pytest.mark.parametrize("second", [(UNASKED,), (PAGE, UNASKED)], ids=["never", "not every time"])
async def test_some_of_a_side_could_not_be_asked(approved: Ward, second: tuple[Attempt, ...]) -> None:
    web1, web2, *_ = approved.provider.machines

    (isv,) = await found(approved, result(approved, Side.ISV, web1, PAGE), result(approved, Side.ISV, web2, *second))

    assert isv.what == "1 of 2 targets on the ISV's side could not be asked every time."


async def test_what_was_asked_is_not_told_of(approved: Ward) -> None:
    assert await found(approved, result(approved, Side.ISV, approved.provider.machines[0], PAGE)) == []


async def test_machines_whose_keys_have_changed_are_not_called_well(
    approved: Ward, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hosts = tmp_path / "sandbox" / "known_hosts"
    lines = [line.partition(" ") for line in hosts.read_text().splitlines()]
    # Everybody has another one's key.
    shifted = zip(lines, [*lines[1:], lines[0]], strict=True)
    hosts.write_text("".join(f"{name} {key}\n" for (name, _, _), (_, _, key) in shifted))

    assert await examine_once(approved.runtime, probes=True, as_json=True) == 1

    document = json.loads(capsys.readouterr().out)
    told = [finding for finding in document["findings"] if finding["rule"] == "probe-not-possible"]
    assert document["ok"] is False
    assert len(told) == 2
    assert all("key" in finding["evidence"]["probe"] for finding in told)
