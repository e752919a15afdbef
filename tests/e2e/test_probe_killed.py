"""A probe by scripts in machines whose program is ended before it has cleaned up."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from plstui.domain.ids import ResourceId
from tests.support.cutting import CuttingProxy, Harm, cutting
from tests.support.served import PATIENCE, Served, environment, run_plstui, serve

SCRIPTS = {"PLSTUI_PROBE_ROUTES": "run-command", "PLSTUI_PROBE_COUNT": "1"}
AN_HOUR_AND_MORE = {"seconds": 3700}


def scripts_in(served: Served) -> list[ResourceId]:
    """The run commands that stand in machines."""
    ids = (ResourceId(resource["id"]) for resource in served.control("GET", "/state")["resources"])
    return [each for each in ids if each.type.lower().endswith("/runcommands")]


@contextmanager
def probing(served: Served, proxy: CuttingProxy) -> Iterator[subprocess.Popen[str]]:
    """A probe through a proxy, whose scripts hang in their machines."""
    for name in ("web1", "testVM"):
        served.control("POST", f"/machines/{name}/hang")
    process = subprocess.Popen(
        [sys.executable, "-m", "plstui", "--config", str(proxy.config), "probe", "--json"],
        env={**environment(served.home), **SCRIPTS},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        proxy.wait_until(lambda: len(proxy.taken("PUT", "/runCommands/")) == 2)
        yield process
        process.kill()


def test_the_next_probe_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served, cutting(served, tmp_path) as proxy:
        with probing(served, proxy) as process:
            process.kill()
            process.wait(timeout=PATIENCE)
        left = scripts_in(served)
        assert sorted(each.parent.name for each in left if each.parent) == ["testVM", "web1"]
        for name in ("web1", "testVM"):
            served.control("POST", f"/machines/{name}/start")

        assert served.plstui("probe", environ=SCRIPTS).exit_code == 0
        assert scripts_in(served) == left, "they are not old: somebody may still be waiting for them"
        served.control("POST", "/clock/advance", AN_HOUR_AND_MORE)
        assert served.plstui("probe", environ=SCRIPTS).exit_code == 0
        assert scripts_in(served) == []


def test_who_does_not_wait_for_the_clean_up_is_told_what_is_left(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served, cutting(served, tmp_path) as proxy:
        proxy.harm(Harm.LATE, "DELETE", "/runCommands/", times=None)
        with probing(served, proxy) as process:
            process.send_signal(signal.SIGINT)
            proxy.wait_until(lambda: proxy.asked("DELETE", "/runCommands/"))
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            assert process.stderr.readline() == (
                "plstui: Still removing what the probe has made in a machine; once more leaves it there.\n"
            )
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=PATIENCE)
        left = scripts_in(served)

    assert (process.returncode, out) == (130, "")
    lines = err.strip().splitlines()
    assert len(left) == 2
    for run in left:
        assert run.parent
        vm = run.parent.name
        said = lines.index(f"plstui: The run command {run.name} may stay in {vm}.")
        assert lines[said + 1] == (
            f"        Remove it: az vm run-command delete --resource-group {run.resource_group} --vm-name {vm} "
            f"--name {run.name} --subscription {run.subscription} --yes"
        )
    assert len(lines) == 4


@pytest.mark.parametrize("harm", [Harm.NOT_JSON, Harm.NOT_HTTP, Harm.CUT_AFTER], ids=lambda harm: harm.name)
def test_a_script_runs_once_also_when_nobody_hears_how_far_it_is(tmp_path: Path, harm: Harm) -> None:
    with serve(tmp_path, "approved") as served, cutting(served, tmp_path) as proxy:
        proxy.harm(harm, "GET", "/Microsoft.Compute/locations/", times=None)
        probe = run_plstui("--config", str(proxy.config), "probe", "--json", home=served.home, environ=SCRIPTS)

        assert probe.exit_code == 0, probe.stdout + probe.stderr
        assert len(proxy.taken("PUT", "/runCommands/")) == 2
        assert proxy.taken("POST", "/runCommand") == []
        assert scripts_in(served) == []


def test_who_waits_for_it_is_told_nothing(tmp_path: Path) -> None:
    with serve(tmp_path, "approved") as served, cutting(served, tmp_path) as proxy, probing(served, proxy) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out, err.strip()) == (130, "", "")
        assert scripts_in(served) == []
        journal = served.home / ".local/state/plstui/journal.jsonl"
        outcomes = [json.loads(line)["outcome"] for line in journal.read_text().splitlines()]
        assert sorted(outcomes) == ["done", "done", "interrupted", "interrupted", *["sent"] * 4]
