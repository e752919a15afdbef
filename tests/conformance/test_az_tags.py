"""The az line for a service's tags, and plstui itself, make the same of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.domain.az import tags_line
from plstui.domain.ids import ResourceId
from tests.conformance import labs
from tests.conformance.az import find_az
from tests.support.served import Served, serve

AZ = find_az()

pytestmark = pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another")

TAGS = {"env": "prod", "team": "net ops", "count": "1", "x y": "{a: 1} = 'b'", "empty": ""}


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "pending") as served:
        yield served


def test_the_line_does_what_plstui_does(pending: Served) -> None:
    assert AZ is not None
    [service] = pending.plstui("services", "list", "--json").json["services"]
    service_id = ResourceId(service["id"])

    def tags() -> dict[str, str]:
        found: dict[str, str] = pending.arm("isv", "GET", service["id"]).get("tags") or {}
        return found

    labs.run_script(pending, AZ, tags_line(service_id, {"old": "x"}), 60)
    labs.run_script(pending, AZ, tags_line(service_id, TAGS, ["old"]), 60)
    assert tags() == TAGS

    removal = (option for name in TAGS for option in ("--remove-tag", name))
    assert pending.plstui("services", "set", service["id"], *removal, "--tag", "old=x").exit_code == 0
    settings = (option for name, value in TAGS.items() for option in ("--tag", f"{name}={value}"))
    assert pending.plstui("services", "set", service["id"], *settings, "--remove-tag", "old").exit_code == 0
    assert tags() == TAGS
