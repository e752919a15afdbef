"""The script that plstui prints for az, and plstui itself, make the same of two empty subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import labs
from tests.conformance.az import find_az
from tests.support.served import Served, serve

AZ = find_az()
PATIENCE = 300
"""Seconds for a script of some forty commands, each of which takes az one or two."""

pytestmark = [
    pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another one"),
    pytest.mark.timeout(PATIENCE + 60),
]

HOSTILE = """it's "$HOME" `id` $(id) \\ 100% *; -- {ISV} ★"""


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal and the settings of whoever runs the tests are nobody's business here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def by_az(tmp_path: Path) -> Iterator[Served]:
    with serve(_folder(tmp_path, "by-az"), "empty") as served:
        yield served


@pytest.fixture
def by_plstui(tmp_path: Path) -> Iterator[Served]:
    with serve(_folder(tmp_path, "by-plstui"), "empty") as served:
        yield served


def _folder(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


async def test_the_script_builds_what_plstui_builds(by_az: Served, by_plstui: Served) -> None:
    printed = await both_build(by_az, by_plstui, {})

    # Step 16, by address and by name.
    assert printed.count("Host: web") == 2


async def test_without_a_way_out_and_without_a_name(by_az: Served, by_plstui: Served) -> None:
    settings = {"isolated": True, "message": HOSTILE, "dns": {"kind": "none"}}

    printed = await both_build(by_az, by_plstui, settings)

    assert printed.count("Host: web") == 1
    (endpoint,) = (one for one in by_az.control("GET", "/state")["resources"] if one["name"] == "saasPrivateEndpoint")
    (asked,) = endpoint["properties"]["manualPrivateLinkServiceConnections"]
    assert asked["properties"]["requestMessage"] == HOSTILE


async def both_build(by_az: Served, by_plstui: Served, settings: dict[str, Any]) -> str:
    """Build the lab on both sandboxes, which must be alike then; gives what the script printed."""
    assert AZ is not None
    key = by_az.directory / "id_ed25519.pub"
    await labs.build(by_plstui, key, settings)
    script = await labs.script_of(by_az, key, settings)
    printed = labs.run_script(by_az, AZ, script, PATIENCE)

    assert labs.differences(labs.resources(by_az), labs.resources(by_plstui)) == []
    # And plstui agrees: nothing is left to do but to open the page.
    again = await labs.script_of(by_az, key, settings)
    assert [line for line in again.splitlines() if line.startswith("# 1")] == ["# 16. 🟢 Open the page"]
    return printed
