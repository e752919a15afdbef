from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.lab.rig import Rig, rig


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal and the settings of whoever runs the tests are nobody's business here."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Rig]:
    """Two subscriptions with nothing in them."""
    async with rig(tmp_path) as made:
        yield made


@pytest.fixture
async def deployed(tmp_path: Path) -> AsyncIterator[Rig]:
    """The ISV's service stands."""
    async with rig(tmp_path, "deployed") as made:
        yield made


@pytest.fixture
async def pending(tmp_path: Path) -> AsyncIterator[Rig]:
    """A customer's endpoint waits for approval."""
    async with rig(tmp_path, "pending") as made:
        yield made


@pytest.fixture
async def approved(tmp_path: Path) -> AsyncIterator[Rig]:
    """The whole lab."""
    async with rig(tmp_path, "approved") as made:
        yield made
