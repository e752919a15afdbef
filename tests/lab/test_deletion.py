"""The commands that are shown for deleting: a shell reads every name as one word, and acts on none."""

from __future__ import annotations

import subprocess

import pytest

from plstui.config.settings import Lab, LabNames
from plstui.domain.errors import AzureError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.deletion import whose_move
from plstui.lab.parts import Want
from plstui.lab.steps import Choices, workshop
from plstui.lab.undo import piece_line

GROUP, SUBSCRIPTION = "labs(1)", "a$(echo pwned)"


def read_by_bash(command: str) -> list[str]:
    """The words that az is given when a command is pasted."""
    script = f"az() {{ printf '%s\\n' \"$@\"; }}\n{command}\n"
    done = subprocess.run(["bash", "-s"], input=script, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def after(option: str, words: list[str]) -> str:
    """The word after an option."""
    return words[words.index(option) + 1]


def test_the_hint_for_a_lock_can_be_pasted() -> None:
    group = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}")
    with pytest.raises(RefusedError) as error, whose_move(group, "resource group"):
        raise AzureError("It is locked.", status=409, code="ScopeLocked")

    words = read_by_bash(error.value.hint.partition(": ")[2].removesuffix(" shows it."))
    assert (after("--resource-group", words), after("--subscription", words)) == (GROUP, SUBSCRIPTION)


@pytest.mark.parametrize("key", ["probe", "rule", "policies", "member1"])
def test_the_command_that_takes_a_piece_out_can_be_pasted(key: str) -> None:
    choices = Choices(region="westeurope", size="Standard_B2s", public_key="ssh-ed25519 AAAA", run="r1")
    made = workshop(Lab(names=LabNames(isv_group=GROUP)), {Side.ISV: SUBSCRIPTION}, choices)
    parts = {part.key: part for step in made.steps for part in step.parts}
    want = parts[key]
    assert isinstance(want, Want)

    words = read_by_bash(piece_line(made, want))
    assert (after("--resource-group", words), after("--subscription", words)) == (GROUP, SUBSCRIPTION)
