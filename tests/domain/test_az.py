"""The `az` lines survive a real shell, whatever stands in them."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import plstui
from plstui.domain.az import LONGEST_WORD, az_line, login_line, register_line, show_line, tags_line, token_line
from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean
from tests.support.lab import BALANCER_ID, CUSTOMER_SUBSCRIPTION, ENDPOINT_ID, ISV_GROUP, ISV_SUBSCRIPTION, Request

CONNECTION_ID = Request().connection_id
BASH = shutil.which("bash") or ""


def words(line: str) -> list[str]:
    """What a shell makes of a line: the arguments that a program would get."""
    done = subprocess.run(
        [BASH, "-c", f"printf '%s\\0' {line}"], capture_output=True, check=True, timeout=20, env={"LANG": "C.UTF-8"}
    )
    return done.stdout.decode().split("\0")[:-1]


@pytest.mark.skipif(not BASH, reason="bash is not installed")
class TestInAShell:
    @settings(max_examples=40)
    @given(st.text(max_size=60))
    @example("Order 314159; rm -rf / #")
    @example('it\'s "quoted" `id` $(id) ${HOME} \\ * ~ !! & | < >')
    @example("")
    @example("--yes")
    @example("-- it's")
    def test_a_description_arrives_as_one_harmless_word(self, description: str) -> None:
        line = az_line(Verb.APPROVE, CONNECTION_ID, description)

        shown = clean(description, LONGEST_WORD)
        # A word that begins like an option would not be taken for an option's value.
        told = [f"--description={shown}"] if shown.startswith("-") else ["--description", shown]
        assert line.isprintable()
        assert words(line) == [
            *("az", "network", "private-link-service", "connection", "update"),
            *("--resource-group", ISV_GROUP, "--service-name", "saasPrivateLinkService", "--name", CONNECTION_ID.name),
            *("--subscription", ISV_SUBSCRIPTION, "--connection-status", "Approved"),
            *told,
        ]

    @settings(max_examples=40)
    @given(st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=40))
    @example("x' ; touch owned ; '\x1b[2J")
    def test_so_does_a_name(self, name: str) -> None:
        hostile = ResourceId(f"/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/{name}")
        line = show_line(hostile)

        assert line.isprintable()
        assert words(line)[:-1] == ["az", "network", "private-endpoint", "show", "--ids"]
        assert words(line)[-1] == clean(hostile.text, LONGEST_WORD)


def test_reject_and_remove() -> None:
    assert " --connection-status Rejected " in az_line(Verb.REJECT, CONNECTION_ID, "No such order")
    assert az_line(Verb.REMOVE, CONNECTION_ID, "unheard").startswith(
        "az network private-link-service connection delete --resource-group "
    )
    assert az_line(Verb.REMOVE, CONNECTION_ID).endswith(" --yes")
    assert "unheard" not in az_line(Verb.REMOVE, CONNECTION_ID, "unheard")


def test_tags() -> None:
    service = CONNECTION_ID.parent
    assert service is not None
    start = f"az network private-link-service update --ids {service}"
    assert tags_line(service, {"team": "net ops", "n": "1"}, ["old"]) == (
        f"{start} --force-string --set 'tags.team=net ops' tags.n=1 --remove tags.old"
    )
    assert tags_line(service, {}, ["it's"]) == f"""{start} --remove 'tags.it'"'"'s'"""
    assert tags_line(service, {}, ["a", "b"]) == f"{start} --remove tags.a --remove tags.b", "one path each"
    by_name = f"az tag update --resource-id {service} --operation"
    assert tags_line(service, {"a.b": "1"}, ["c"]) == f"{by_name} Merge --tags a.b=1 && {by_name} Delete --tags c"


def test_what_shows_a_resource() -> None:
    group = ResourceId(f"/subscriptions/{CUSTOMER_SUBSCRIPTION}/resourceGroups/rg")

    assert show_line(BALANCER_ID) == f"az network lb show --ids {BALANCER_ID}"
    assert show_line(ENDPOINT_ID) == f"az network private-endpoint show --ids {ENDPOINT_ID}"
    assert show_line(group) == f"az group show --name rg --subscription {CUSTOMER_SUBSCRIPTION}"
    gateway = ResourceId(f"{group}/providers/Microsoft.Network/natGateways/nat")
    assert show_line(gateway) == f"az resource show --ids {gateway}"


def test_a_line_with_values_in_it_is_made_here_alone() -> None:
    """The lab's script has templates of its own, with each value quoted where it is put in."""
    root = Path(plstui.__file__).parent
    elsewhere = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        if path.relative_to(root).as_posix() not in ("lab/azlines.py", "lab/scripts.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr) and re.search(r"\baz [a-z-]+[^.;]* -[^.;]*VALUE", with_values(node))
    ]

    assert elsewhere == []


def with_values(text: ast.JoinedStr) -> str:
    """An f-string with VALUE for whatever is put into it."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in text.values)


def test_a_word_of_a_long_line_is_whole() -> None:
    challenge = "eyJh" * 900

    assert login_line("https://arm//.default", challenge) == (
        f"az login --scope https://arm//.default --claims-challenge {challenge}"
    )
    assert token_line("s; x") == "az account get-access-token --subscription 's; x'"
    assert register_line("x' ;", "s") == """az provider register --namespace 'x'"'"' ;' --subscription s"""
