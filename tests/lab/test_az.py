"""The lab in az: values in their places, nothing but what is needed, and no text that the shell would act on."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert

from plstui.config.settings import Lab
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab import az, scripts
from plstui.lab.inventory import Group, Inventory
from plstui.lab.parts import StepState, Survey
from plstui.lab.progress import StepStatus, assess
from plstui.lab.steps import Choices, Workshop, workshop

ISV, CUSTOMER = "5b1f9c34-0d0e-4d6b-9a52-3f6f1b7c1a01", "c27e4f0a-8a6f-4b39-8d0c-71d9b52e6e02"
BOTH = {Side.ISV: ISV, Side.CUSTOMER: CUSTOMER}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIfwaRU9jF3bzYm2AMwipVfCSmAg7mRnlb6HBbY3R4dF somebody"
PASSWORD = "never-in-a-script"


def lab_of(settings: dict[str, Any] | None = None, sides: dict[Side, str] | None = None) -> Workshop:
    """The lab with some settings."""
    choices = Choices(region="westeurope", size="Standard_B2s", public_key=KEY, run="r1", password=PASSWORD)
    return workshop(convert(settings or {}, Lab), BOTH if sides is None else sides, choices)


def all_needed(made: Workshop) -> tuple[StepStatus, ...]:
    """What is to be done when nothing is there."""
    return assess(made.steps, Survey())


def all_there(made: Workshop) -> Inventory:
    """The whole lab, made by plstui."""
    halves = {Side.ISV: made.provider, Side.CUSTOMER: made.consumer}
    return Inventory(
        {side: Group(side, half.group, "succeeded", is_ours=True, run="r1") for side, half in halves.items() if half},
        service=made.provider.service if made.provider else None,
        endpoint=made.consumer.endpoint if made.consumer else None,
    )


def full_script(settings: dict[str, Any] | None = None) -> str:
    made = lab_of(settings)
    return scripts.script(made, all_needed(made))


def numbers(script: str) -> list[int]:
    """The steps that a script tells of."""
    return [int(number) for number in re.findall(r"^# (\d+)\. ", script, re.MULTILINE)]


def words(line: str) -> list[str]:
    """What the shell makes of a line that holds no variable."""
    return shlex.split(line)


def after(option: str, line: str) -> str:
    """The word after an option."""
    found = words(line)
    return found[found.index(option) + 1]


def commands_of(made: Workshop) -> dict[str, str]:
    """Every part's commands."""
    return {part.key: az.command(made, part) for step in made.steps for part in step.parts}


def bash_reads(script: str, *options: str) -> None:
    """bash finds no fault with a script."""
    done = subprocess.run(["bash", "-n", *options], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


VARIANTS: list[dict[str, Any]] = [
    {},
    {"isolated": True},
    {"test_machine": "windows"},
    {"dns": {"kind": "none"}},
    {"dns": {"kind": "public", "zone": "example.org", "group": "zones"}},
]


@pytest.mark.parametrize("settings", VARIANTS)
def test_every_part_has_commands_and_every_script_is_one(settings: dict[str, Any]) -> None:
    made = lab_of(settings)

    for key, text in commands_of(made).items():
        assert text.startswith(("az ", "NIC=$(az ", "CONNECTION=$(az ", "read -rs ")), key
        bash_reads(text)
    bash_reads(scripts.script(made, all_needed(made)))
    bash_reads(scripts.teardown(made, all_there(made)))


def test_commands_stand_alone() -> None:
    commands = commands_of(lab_of())

    assert commands["asg"] == (
        "az network asg create --name applicationSecurityGroup --location westeurope "
        f"--resource-group privatelink-pls-microhack-rg --subscription {ISV}"
    )
    assert after("--nics", commands["vm2"]) == "web2-nic"
    assert after("--zone", commands["vm2"]) == "2"
    assert Path(after("--custom-data", commands["vm2"])).read_text().startswith("#cloud-config")
    assert after("--ssh-key-values", commands["client"]) == KEY
    assert after("--subscription", commands["client"]) == CUSTOMER
    assert f"/subscriptions/{ISV}/" in after("--private-connection-resource-id", commands["endpoint"])
    # The record needs the address, so the line that finds it comes first.
    assert commands["record"].startswith(commands["address"].removesuffix('echo "$ADDRESS"'))


def test_a_step_is_told_without_the_starts_of_machines() -> None:
    made = lab_of()

    assert az.commands(made, made.step("machines")).count("az vm create") == 3
    assert "az vm start" not in az.commands(made, made.step("machines"))
    assert "run-command invoke" in az.commands(made, made.step("page"))


@given(message=st.text(min_size=1, max_size=140))
def test_a_message_stays_one_word(message: str) -> None:
    made = lab_of({"message": message})

    (word,) = (word for word in words(commands_of(made)["endpoint"]) if word.startswith("--request-message="))
    assert "\n" not in word
    if message.isprintable() and message == " ".join(message.split()):
        assert word == f"--request-message={message}" or word.endswith(f"◌{message}")


HOSTILE = ["'; touch pwned; '", "$(touch pwned)", "`touch pwned`", '"; touch pwned; "', "a\ntouch pwned", "-x {ISV} %s"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_nothing_but_a_value(text: str, tmp_path: Path) -> None:
    made = lab_of({"message": text, "public_key": text, "service_id": text}, {Side.ISV: text, Side.CUSTOMER: text})
    statuses = [replace(status, because=text) for status in all_needed(made)]
    blocked = [replace(status, state=StepState.BLOCKED) for status in statuses]

    # az does nothing and no key is read, so what is left is what the shell itself does with the text.
    prelude = "az() { echo x; }; cat() { :; }\n"
    found = all_there(made)
    groups = {side: replace(group, run=text, locks=(ResourceId(f"/x/{text}"),)) for side, group in found.groups.items()}
    downs = [scripts.teardown(made, found), scripts.teardown(made, replace(found, groups=groups))]
    written = [scripts.script(made, statuses), scripts.script(made, blocked), *downs, *commands_of(made).values()]
    for script in written:
        done = subprocess.run(
            ["bash", "-s"], input=prelude + script, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert [*tmp_path.iterdir()] == []


def test_the_variables_are_those_that_are_used() -> None:
    script = full_script()
    head, _, body = script.partition("\n# 1. ")
    names = re.findall(r"^([A-Z_]+)=", head, re.MULTILINE)

    assert all(f"${name}" in script for name in names)
    assert set(re.findall(r"\$([A-Z_]+)", body)) <= {*names, "NIC", "ADDRESS", "CONNECTION"}
    assert "set -euo pipefail" in head
    assert "MESSAGE='Customer: Tradewinds, Order no.: 314159'" in head
    assert ISV not in body
    assert "ZONE" not in full_script({"dns": {"kind": "none"}}).partition("\n# 1. ")[0]


def test_a_script_does_what_is_lacking_and_no_more() -> None:
    made = lab_of()
    lacking = {"isv-network": ("vnet",), "machines": ("vm2", "vm2-running", "vm3-running"), "record": ("record",)}
    statuses = [
        replace(status, state=StepState.NEEDED, lacking=lacking[status.step.id])
        if status.step.id in lacking
        else replace(status, state=StepState.DONE, lacking=())
        for status in all_needed(made)
    ]

    script = scripts.script(made, statuses)

    assert numbers(script) == [2, 3, 15]
    assert _creates(script) == ["network vnet", "network vnet subnet", "vm", "network private-dns record-set a"]
    # The second machine is made and so runs; the third is there and was stopped.
    assert re.findall(r'az vm start --name "\$MACHINE"(\d)', script) == ["3"]
    assert script.count("ADDRESS=") == 1
    assert "END_OF_FILE" in script
    assert "client.yaml" not in script


def test_all_steps_are_there_when_nothing_is() -> None:
    script = full_script()

    assert numbers(script) == list(range(1, 17))
    assert script.count("<<'END_OF_FILE'") == 2
    assert script.count("\nADDRESS=") == 1
    assert "az vm start" not in script


def test_nothing_left_is_said() -> None:
    made = lab_of()
    script = scripts.script(made, [replace(status, state=StepState.DONE) for status in all_needed(made)])

    assert numbers(script) == []
    assert script.endswith("# Nothing is left to do.\n")


def test_what_is_blocked_is_left_out_with_its_reason() -> None:
    made = lab_of(sides={Side.CUSTOMER: CUSTOMER}, settings={"service_id": f"/subscriptions/{ISV}/x"})

    script = scripts.script(made, all_needed(made))

    assert "# Left out: " in script
    assert "az network nsg create" not in script
    assert f"SERVICE_ID=/subscriptions/{ISV}/x" in script
    assert "az network private-endpoint wait" in script
    assert "private-link-service connection update" not in script
    bash_reads(script)


def test_settings_choose_the_commands() -> None:
    isolated = full_script({"isolated": True})
    assert "nat" not in "".join(_creates(isolated))
    assert "--nat-gateway" not in isolated
    public = full_script({"dns": {"kind": "public", "zone": "example.org", "group": "zones"}})
    assert 'az network dns record-set a add-record --zone-name "$ZONE"' in public
    assert "private-dns" not in public
    made = lab_of({"dns": {"kind": "public", "zone": "example.org", "group": "zones"}})
    assert "record-set" not in scripts.teardown(made, all_there(made)), "what is outside the two groups stays"


def test_no_secret_is_in_a_script() -> None:
    made = lab_of({"test_machine": "windows"})
    script = scripts.script(made, all_needed(made))

    assert PASSWORD not in script + "".join(commands_of(made).values())
    assert "read -rs" in script
    assert "--admin-password @-" in script
    assert "WindowsServer" in script
    assert "RunPowerShellScript" in script


def test_the_lab_goes_in_the_order_that_azure_wants() -> None:
    made = lab_of()
    script = scripts.teardown(made, all_there(made))

    assert numbers(script) == [17, 18, 19]
    order = ["private-endpoint delete", "connection delete", "private-link-service delete", "az group delete"]
    assert _in_order(script, order)


def test_a_commands_options_are_level() -> None:
    made = lab_of()
    written = [scripts.teardown(made, all_there(made)), *map(full_script, VARIANTS)]
    pairs = [pair for script in written for pair in pairwise(script.splitlines()) if pair[1].lstrip().startswith("--")]
    depths = [[len(line) - len(line.lstrip()) for line in pair] for pair in pairs]

    assert any("--service-name" in first and "--resource-group" in second for first, second in pairs)
    for (first, second), (before, depth) in zip(pairs, depths, strict=True):
        assert depth == (before if first.lstrip().startswith("--") else before + 2), f"{first}\n{second}"


def test_only_what_was_found_goes_and_only_on_the_sides_that_were_named() -> None:
    made = lab_of()
    found = all_there(made)

    assert numbers(scripts.teardown(made, found, sides=[Side.ISV])) == [18]
    assert numbers(scripts.teardown(made, found, sides=[Side.CUSTOMER])) == [17, 19]
    bare = scripts.teardown(made, replace(found, endpoint=None, service=None))
    assert numbers(bare) == [18, 19]
    assert "private-" not in bare
    gone = scripts.teardown(made, Inventory({side: Group(side, group.id) for side, group in found.groups.items()}))
    assert gone.endswith("# Nothing is left to take down.\n")
    assert numbers(scripts.teardown(made, Inventory())) == []


def test_a_group_that_is_not_ours_stays_unless_it_was_named() -> None:
    made = lab_of()
    found = all_there(made)
    theirs = replace(found, groups={**found.groups, Side.ISV: replace(found.groups[Side.ISV], is_ours=False)})

    script = scripts.teardown(made, theirs)
    assert "# Left out: resource group privatelink-pls-microhack-rg was not created by plstui" in script
    assert "ISV_GROUP" not in script
    named = scripts.teardown(made, theirs, confirmed=["privatelink-pls-microhack-rg"])
    assert 'az group delete --name "$ISV_GROUP"' in named
    assert 'require_tags "$ISV_GROUP"' not in named


@pytest.mark.parametrize(
    ("tags", "exit_code", "deleted"), [("plstui r1", 0, 2), ("plstui r2", 1, 0), ("terraform r1", 1, 0), ("", 1, 0)]
)
def test_a_group_is_deleted_only_while_it_carries_its_tags(tags: str, exit_code: int, deleted: int) -> None:
    made = lab_of()
    prelude = f"""az() {{
  case "$*" in
    "group exists"*) echo true ;;
    "group show"*) echo "{tags}" ;;
    "group delete"*|*"endpoint delete"*) echo "did $1 $2" ;;
  esac
}}
"""
    script = scripts.teardown(made, all_there(made))
    done = subprocess.run(["bash", "-s"], input=prelude + script, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.count("did group delete")) == (exit_code, deleted), done.stderr
    if exit_code:
        assert done.stdout == "", "nothing at all was deleted"
        assert "Stopped: resource group privatelink-pls-microhack-rg no longer has the tags" in done.stderr


def _creates(script: str) -> list[str]:
    return re.findall(r"^az ([a-z -]+?) create ", script, re.MULTILINE)


def _in_order(text: str, wanted: Iterable[str]) -> bool:
    places = [text.index(one) for one in wanted]
    return places == sorted(places)
