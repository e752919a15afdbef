"""A private link service and its tags against a served sandbox, as scripts use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import Served, run_plstui, serve

SERVICE = "saasPrivateLinkService"


@pytest.fixture
def pending(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "pending") as served:
        yield served


def body(served: Served, service_id: str) -> dict[str, Any]:
    """A resource, without its etag, which its parts have, too."""
    answer = served.arm("isv", "GET", service_id)
    found: dict[str, Any] = json.loads(json.dumps(answer).replace(json.dumps(answer["etag"])[1:-1], "*"))
    return found


def journal(served: Served) -> list[dict[str, Any]]:
    [path] = served.home.rglob("journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tags_are_set_and_removed_and_all_else_stays(pending: Served) -> None:
    [listed] = pending.plstui("services", "list", "--json").json["services"]
    before = body(pending, listed["id"])
    assert (listed["name"], listed["state"], listed["tags"]) == (SERVICE, "Succeeded", {})

    run = pending.plstui("services", "set", SERVICE.upper(), "--tag", "team=net ops", "--tag", "env=prod", "--json")
    assert (run.exit_code, run.stderr) == (0, "")
    tags = {"team": "net ops", "env": "prod"}
    assert run.json == {
        "results": [
            {
                "id": listed["id"],
                "verb": "set tags",
                "ok": True,
                "status": "Succeeded",
                "tags": tags,
                "unread": None,
                "error": None,
            }
        ]
    }
    run = pending.plstui("services", "set", listed["id"], "--tag", "Team=sales", "--remove-tag", "ENV", "--yes")
    assert (run.exit_code, run.stdout) == (0, f"{SERVICE}: tags set\n")

    after = body(pending, listed["id"])
    # A tag keeps the name that the service knows it by.
    assert after.pop("tags") == {"team": "sales"}
    assert after == before
    assert pending.plstui("services", "show", SERVICE, "--json").json == {**listed, "tags": {"team": "sales"}}
    shown = pending.plstui("services", "show", SERVICE).stdout
    assert "tag          team=sales" in shown
    assert "team=sales" in pending.plstui("services", "list").stdout
    assert [(line["verb"], line["outcome"]) for line in journal(pending)] == [
        ("set tags", "sent"),
        ("set tags", "done"),
    ] * 2
    assert journal(pending)[-1]["az"] == (
        f"az network private-link-service update --ids {listed['id']} "
        "--force-string --set tags.team=sales --remove tags.env"
    )


def test_every_tag_is_told_whole_and_any_can_be_removed(pending: Served) -> None:
    [listed] = pending.plstui("services", "list", "--json").json["services"]
    long = "n" * 250
    tags = {f"{long}{end}": end * 256 for end in "ab"} | {"a=b": "1", "two  spaces": "2"}
    pending.arm("isv", "PUT", listed["id"], {**pending.arm("isv", "GET", listed["id"]), "tags": tags})

    told = pending.plstui("services", "show", SERVICE, "--json").json["tags"]
    assert told == {"two spaces" if name == "two  spaces" else name: value for name, value in tags.items()}
    shown = pending.plstui("services", "show", SERVICE).stdout
    assert [end for end in "ab" if f"tag          {long}{end}={end * 256}\n" in shown] == ["a", "b"]
    removed = [word for name in tags for word in ("--remove-tag", name)]
    assert pending.plstui("services", "set", SERVICE, *removed, "--yes", "--json").json["results"][0]["tags"] == {}


def test_what_cannot_be_is_told_and_not_sent(pending: Served) -> None:
    def refused(*arguments: str) -> tuple[int, str, str]:
        run = pending.plstui(*arguments, "--json")
        [result] = run.json["results"]
        assert not result["ok"]
        return run.exit_code, result["error"]["code"], result["error"]["message"]

    set_it = ("services", "set", SERVICE, "--tag", "env=prod")
    code, word, message = refused(*set_it, "--read-only")
    assert (code, word) == (1, "Refused")
    assert "started read-only" in message
    assert refused("services", "set", SERVICE, "--remove-tag", "env")[2] == "The tags of this service are so already."
    assert refused("services", "set", "nowhere", "--tag", "env=prod")[:2] == (4, "NotFound")
    [listed] = pending.plstui("services", "list", "--json").json["services"]
    assert refused("services", "set", listed["id"] + "x", "--tag", "env=prod")[:2] == (4, "NotFound")
    assert not list(pending.home.rglob("journal.jsonl"))
    assert pending.plstui("services", "show", "nowhere").exit_code == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "--tag NAME=VALUE or --remove-tag NAME"),
        (("--tag", "env"), "it is no NAME=VALUE"),
        (("--tag", "=x"), "the name is missing"),
        (("--tag", "a/b=x"), "must not hold /"),
        (("--tag", "a=x\ny"), "one line"),
        (("--tag", "a=x", "--remove-tag", "A"), "named twice"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_asked(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    run = run_plstui("services", "set", SERVICE, *options, home=tmp_path)
    assert run.exit_code == 2
    assert words in run.stderr
