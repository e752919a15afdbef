"""A lab whose answers get lost: it looks, goes on by what it sees, and sends nothing twice that was taken."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from plstui.lab.effort import StepFailedError
from plstui.sandbox.gateway.messages import Drop, Request
from tests.lab.down import down
from tests.lab.rig import Rig, lab_on, rig

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Losses:
    """Cuts the connection once for each write, before or after Azure has taken it."""

    def __init__(self, azure: Rig, *, taken: bool, decisions: bool = False) -> None:
        self.cut: Counter[str] = Counter()
        self._decisions = decisions
        if taken:
            azure.after = self
        else:
            azure.before = self

    async def __call__(self, request: Request) -> None:
        what = f"{request.method} {request.path}"
        # A decision is nobody's to repeat; what becomes of it is told elsewhere.
        is_decision = "/privateendpointconnections/" in request.path.lower()
        if self.cut[what] or (is_decision and not self._decisions):
            return
        self.cut[what] += 1
        raise Drop


def written(azure: Rig) -> Counter[str]:
    return Counter(_GUID.sub("GUID", what) for what in azure.written)


async def test_what_was_taken_is_seen_and_not_sent_again(tmp_path: Path) -> None:
    for name in ("calm", "lossy"):
        (tmp_path / name).mkdir()
    async with rig(tmp_path / "calm") as calm, calm.session() as session:
        await session.up()
        undisturbed, wanted = await calm.state(), written(calm)
    async with rig(tmp_path / "lossy") as azure, azure.session() as session:
        losses = Losses(azure, taken=True)
        await session.up()

        assert losses.cut.total() > 20
        assert written(azure) == wanted
        assert await azure.state() == undisturbed


async def test_what_was_not_taken_is_sent_once_more_after_a_look(tmp_path: Path) -> None:
    for name in ("calm", "lossy"):
        (tmp_path / name).mkdir()
    async with rig(tmp_path / "calm") as calm, calm.session() as session:
        await session.up(until="service")
        undisturbed, wanted = await calm.state(), written(calm)
    async with rig(tmp_path / "lossy") as azure, azure.session() as session:
        losses = Losses(azure, taken=False)
        await session.up(until="service")

        assert losses.cut.total() > 10
        assert written(azure) == wanted + Counter(set(wanted))
        assert await azure.state() == undisturbed


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_what_is_taken_down_is_gone_and_each_deletion_sent_as_often_as_needed(
    tmp_path: Path, taken: bool
) -> None:
    async with lab_on(tmp_path, "approved") as azure:
        losses = Losses(azure, taken=taken, decisions=True)
        await down(azure)

        assert azure.left() == []
        assert set(Counter(azure.written).values()) == {1 if taken else 2}
        assert set(losses.cut) == set(azure.written)


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
async def test_a_decision_whose_answer_is_lost_is_not_made_again_by_the_lab(tmp_path: Path, taken: bool) -> None:
    async with rig(tmp_path, "pending") as azure, azure.session() as session:
        decisions: list[str] = []

        async def cut(request: Request) -> None:
            if "/privateendpointconnections/" in request.path.lower():
                decisions.append(request.method)
                raise Drop

        if taken:
            azure.after = cut
            await session.up()
        else:
            azure.before = cut
            with pytest.raises(StepFailedError, match="not known whether Azure has done it"):
                await session.up()

        assert decisions == ["PUT"]
