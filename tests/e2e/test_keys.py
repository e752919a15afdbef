"""Keys of a person's own, in a real terminal."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.support.served import environment
from tests.support.terminal import terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

SANDBOX = [sys.executable, "-m", "plstui", "--sandbox"]


def environment_with(tmp_path: Path, settings: str) -> dict[str, str]:
    """An environment in which a person has a settings file of their own."""
    folder = tmp_path / "own" / "plstui"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(settings)
    return {**environment(tmp_path), "XDG_CONFIG_HOME": str(folder.parent)}


def test_a_key_of_ones_own_works_and_is_told_everywhere(tmp_path: Path) -> None:
    environ = environment_with(tmp_path, '[keys]\napprove = "A"\nquit = "Q"\nlab-until = "U"\n')
    with terminal(tmp_path, SANDBOX, size=(160, 48), environ=environ) as screen:
        screen.wait_for("saasPrivateEndpoint", "Pending", "A Approve", "Q Quit", gone=("a Approve", "q Quit"))
        screen.press("?")
        screen.wait_for("plstui: keys", "Let this endpoint through", "A approves, l opens the lab")
        screen.press("Escape")
        screen.wait_for("Pending", gone=("plstui: keys",))
        screen.press(":")
        screen.wait_for("Approve  (A)")
        screen.press("Escape")
        screen.wait_for("Pending", gone=("Approve  (A)",))
        # The usual keys do nothing: what comes after them is seen, and nothing of theirs.
        screen.press("a", "q", "4")
        screen.press("A")
        screen.wait_for("Approve this connection?")
        screen.press("Enter")
        screen.wait_for("Approved", gone=("Pending",))
        screen.press("l")
        screen.wait_for("steps done", "U Until here", "Q Quit", gone=("u Until here",))
        screen.press("Q")
        assert "exit code 0" in screen.wait_for("exit code")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            '[keys]\napprove = "x"\n',
            ('two commands of the panes with the key "x"', "approve and reject", "Give one of"),
        ),
        ('[keys]\nprobe = "ctrl+w"\n', ('cannot give probe the key "ctrl+w"', "Choose another key.")),
        ('[keys]\nprobing = "P"\n', ("a command that does not exist: probing", "Did you mean probe?")),
    ],
    ids=["taken", "a browser's", "unknown"],
)
def test_what_cannot_be_a_key_is_refused_before_anything_opens(
    tmp_path: Path, settings: str, words: tuple[str, ...]
) -> None:
    environ = environment_with(tmp_path, settings)
    with terminal(tmp_path, SANDBOX, size=(160, 48), environ=environ) as screen:
        seen = screen.wait_for("exit code 2")
        assert [word for word in words if word not in seen] == []
        assert seen.strip().count("\n") <= 6, seen
