from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.fabric.lab import Lab, running


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """The whole lab, approved, with its machines running."""
    lab = Lab()
    lab.everything()
    async with running(lab):
        yield lab
