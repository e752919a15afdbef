"""How long Azure is given for what passes by itself."""

from __future__ import annotations

from functools import partial
from itertools import count, takewhile

import pytest

from plstui.domain.errors import (
    UNREADABLE,
    AzureError,
    DecidedOtherwiseError,
    NotFoundError,
    PlstuiError,
    UnreachableError,
)
from plstui.domain.patience import BUILDING_PAUSES as PAUSES
from plstui.lab.retry import (
    LATE_CHANCES,
    NOT_AS_REQUESTED,
    SECOND_CHANCES,
    pause_after,
    pause_after_read,
    pause_after_write,
)


@pytest.mark.parametrize(
    ("error", "known", "otherwise"),
    [
        (NotFoundError("gone", status=404, code="resourceNotFound"), LATE_CHANCES, 0),
        (NotFoundError("gone", status=404, code="ResourceGroupNotFound"), LATE_CHANCES, 0),
        (AzureError("no such subnet", status=400, code="InvalidResourceReference"), LATE_CHANCES, 0),
        (AzureError("not so", code=NOT_AS_REQUESTED), LATE_CHANCES, SECOND_CHANCES),
        (NotFoundError("no such subscription", status=404, code="SubscriptionNotFound"), 0, 0),
        (AzureError("somebody was quicker", status=412, code="PreconditionFailed"), len(PAUSES), len(PAUSES)),
        (AzureError("busy", status=409, code="AnotherOperationInProgress"), len(PAUSES), len(PAUSES)),
        (AzureError("no", status=400, code="BadRequest"), 0, 0),
        (DecidedOtherwiseError("pe", "it has been removed", None), 0, 0),
    ],
)
def test_how_often_a_write_is_tried_again(error: PlstuiError, known: int, otherwise: int) -> None:
    assert len(list(takewhile(partial(pause_after_write, error), count(1)))) == known
    assert len(list(takewhile(partial(pause_after, error), count(1)))) == otherwise


@pytest.mark.parametrize(
    ("error", "often"),
    [
        (AzureError("It failed.", code="Failed"), SECOND_CHANCES),
        (AzureError("busy", status=409, code="AnotherOperationInProgress"), len(PAUSES)),
        (AzureError("no sense", code=UNREADABLE), 0),
        (UnreachableError("no answer"), 0),
        (AzureError("no", status=403, code="AuthorizationFailed"), 0),
    ],
)
def test_how_often_a_first_look_is_tried_again(error: PlstuiError, often: int) -> None:
    assert len(list(takewhile(partial(pause_after_read, error), count(1)))) == often


@pytest.mark.parametrize(("asked", "pause"), [(None, PAUSES[0]), (0.0, PAUSES[0]), (20.0, 20.0), (3600.0, None)])
@pytest.mark.parametrize(("status", "code"), [(429, "RetryableError"), (409, "AnotherOperationInProgress"), (503, "")])
def test_where_azure_asks_to_wait_it_is_waited_for(
    status: int, code: str, asked: float | None, pause: float | None
) -> None:
    error = AzureError("Not now.", status=status, code=code)
    error.retry_after = asked

    assert pause_after(error, 1) == pause
