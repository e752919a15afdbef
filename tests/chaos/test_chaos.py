"""The attack for as long as a change waits to land; longer by hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

MINUTES = float(os.environ.get("CHAOS_MINUTES", "2"))
SEED = os.environ.get("CHAOS_SEED", "7")
TO_THE_END = 300
"""Seconds that the last rounds may take beyond that, and what hangs."""


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + TO_THE_END + 60)
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_nothing_is_told_wrong_or_sent_twice_whatever_happens(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, "-m", "tests.chaos", "--minutes", str(MINUTES), "--seed", SEED]
    run = subprocess.run(command, capture_output=True, text=True, timeout=MINUTES * 60 + TO_THE_END, check=False)
    with capsys.disabled():
        sys.stdout.write(f"\n{run.stdout}")
    assert (run.returncode, run.stderr) == (0, "")
