"""The az line for a service's tags, and plstui itself, make the same of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plstui.domain.az import tags_line
from plstui.domain.ids import ResourceId
from plstui.domain.tags import tag_change
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


def the_service(pending: Served) -> ResourceId:
    [service] = pending.plstui("services", "list", "--json").json["services"]
    return ResourceId(service["id"])


def tags(pending: Served, service: ResourceId) -> dict[str, str]:
    found: dict[str, str] = pending.arm("isv", "GET", service.text).get("tags") or {}
    return found


def test_the_line_does_what_plstui_does(pending: Served) -> None:
    assert AZ is not None
    service = the_service(pending)
    labs.run_script(pending, AZ, tags_line(service, {"old": "x", "older": "y", "it's": "z"}), 60)
    labs.run_script(pending, AZ, tags_line(service, TAGS, ["old", "older", "it's"]), 60)
    assert tags(pending, service) == TAGS

    removal = (option for name in TAGS for option in ("--remove-tag", name))
    assert pending.plstui("services", "set", service.text, *removal, "--tag", "old=x").exit_code == 0
    settings = (option for name, value in TAGS.items() for option in ("--tag", f"{name}={value}"))
    assert pending.plstui("services", "set", service.text, *settings, "--remove-tag", "old").exit_code == 0
    assert tags(pending, service) == TAGS


def test_the_line_that_is_shown_names_tags_as_the_service_spells_them(pending: Served) -> None:
    assert AZ is not None
    service = the_service(pending)
    labs.run_script(pending, AZ, tags_line(service, {"env": "test", "Team": "ops"}), 60)
    body = pending.arm("isv", "GET", service.text)
    asked = tag_change(service, {"Env": "prod"}, ["TEAM", "nobody's"])
    labs.run_script(pending, AZ, asked.for_what_is_there(body).az, 60)
    assert tags(pending, service) == {"env": "prod"}
