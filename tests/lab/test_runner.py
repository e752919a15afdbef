"""The engine from an empty Azure to the whole lab, and from whatever else somebody may have left there."""

from __future__ import annotations

from tests.lab.rig import Rig, undone, zones_of


async def test_from_nothing_to_the_whole_lab_and_no_write_the_second_time(empty: Rig) -> None:
    async with empty.session() as plstui:
        first = await plstui.up()
        assert list(undone(first.statuses())) == []
        assert zones_of(empty) == [["1"], ["2"], ["3"]]
        before = await empty.state()
        empty.written.clear()
        second = await plstui.up()

    assert list(undone(second.statuses())) == []
    assert empty.written == []
    assert sum(status.writes for status in second.statuses()) == 0
    assert await empty.state() == before
