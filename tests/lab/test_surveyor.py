"""What a survey makes of what it may not see."""

from __future__ import annotations

import pytest

from plstui.domain.errors import CredentialsError, RefusedError
from plstui.domain.sides import Side
from plstui.lab.parts import StepState
from plstui.lab.progress import assess
from plstui.lab.runner import Run
from plstui.sandbox.gateway.tokens import Client
from tests.lab.rig import Rig

NOBODY = Client("33333333-3333-4333-8333-333333333333", "33333333-3333-4333-8333-333333333333")


async def test_who_may_only_look_is_told_that_health_is_not_known(approved: Rig) -> None:
    async with approved.session(sign_in={Side.ISV: approved.sandbox.isv.reader}) as plstui:
        survey = await plstui.lab.survey()

    states = {status.step.id: status for status in assess(plstui.workshop.steps, survey)}
    because = "whether the members are up is not known: you may not ask for it"
    assert (states["pool"].state, states["pool"].because) == (StepState.NEEDED, because)
    assert {status.state for name, status in states.items() if name not in ("pool", "page")} == {StepState.DONE}


@pytest.mark.parametrize("side", Side)
async def test_one_side_is_told_where_the_other_cannot_be_read(side: Side, approved: Rig) -> None:
    async with approved.session(sign_in={side: NOBODY}) as plstui:
        with pytest.raises(CredentialsError):
            await plstui.lab.survey()
        survey = await plstui.lab.survey(partial=True)
        run = Run(plstui.lab, survey, lambda _: None)
        with pytest.raises(RefusedError, match=rf"the {side.label} subscription cannot be read: "):
            await run.up(plstui.steps())

    for status in run.statuses():
        if status.step.side is side or status.step.id == "approval":
            assert status.state is StepState.BLOCKED
            assert status.because.startswith(f"the {side.label} subscription cannot be read: ")
        elif not status.step.opens_page:
            assert status.state is StepState.DONE
    assert approved.written == []
