from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.domain.findings.ward import Ward, ward


@pytest.fixture
async def approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Ward]:
    """The lab as it is when it works."""
    async with ward(tmp_path, monkeypatch) as made:
        yield made
