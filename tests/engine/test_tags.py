"""A change that is not about a connection passes the same gate: the tags of a service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from plstui.arm.clients import Clients
from plstui.arm.road import Road
from plstui.cli.session import read_both
from plstui.domain.az import tags_line
from plstui.domain.change import Body
from plstui.domain.errors import (
    AzureError,
    DecidedOtherwiseError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
)
from plstui.domain.ids import ResourceId
from plstui.domain.readback import Patience
from plstui.domain.tags import Difference, TagChange, tag_change, tags_of
from plstui.engine.gate import Outcome, unasked
from plstui.sandbox.gateway.messages import Drop, Request, Response
from tests.domain.findings.ward import Ward, ward


class Tagging:
    """A service and somebody who changes its tags, with a log of what passes."""

    def __init__(self, made: Ward) -> None:
        self.made = made
        self.service = made.provider.service
        self.log: list[str] = []
        self.asked: list[tuple[tuple[Difference, ...], str]] = []
        self.sent: list[Request] = []
        self.while_asked: Callable[[], Awaitable[None]] | None = None
        self.on_put: Callable[[Request], Awaitable[Response | None]] | None = None
        made.meddle = self._see

    async def _see(self, request: Request) -> Response | None:
        if request.path.lower() != self.service.key:
            return None
        self.log.append(request.method)
        if request.method == "PUT":
            self.sent.append(request)
            return await self.on_put(request) if self.on_put else None
        answer = await self.made.box.handle(request)
        if answer.status == 200:
            answer.body["properties"]["inTheFuture"] = {"kept": [1, None]}
        return answer

    async def _confirm(self, change: TagChange, service: Body) -> TagChange | None:
        self.log.append("asked")
        self.asked.append((change.differences(tags_of(service)), change.az))
        if self.while_asked:
            await self.while_asked()
        return change

    async def set(self, *removed: str, **tags: str) -> Outcome[Body] | None:
        """Pass the gate by what the panes show."""
        change = tag_change(self.service, tags, removed)
        return await self.made.runtime.gate.perform(change, self._confirm, world=self.made.runtime.world())

    async def others_set(self, **tags: str) -> None:
        """Somebody else sets all tags."""
        log, meddle, self.made.meddle = self.log.copy(), self.made.meddle, None
        async with self.made.changing(self.service) as body:
            body["tags"] = tags
        self.made.meddle = meddle
        self.log = log

    async def tags(self) -> dict[str, str]:
        """What Azure has."""
        return tags_of(await self.made.get(self.service))

    @property
    def journal(self) -> list[dict[str, Any]]:
        path = self.made.runtime.journal.path
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
async def tagging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tagging]:
    async with ward(tmp_path, monkeypatch, "pending") as made:
        await read_both(made.runtime)
        made.runtime.gate.patience = Patience(busy=(0.0, 0.0), throttled=1.0, looks=(0.0, 0.0))
        yield Tagging(made)


async def test_the_order_of_the_gate(tagging: Tagging) -> None:
    await tagging.others_set(env="prod", team="ops")
    tagging.log.clear()
    outcome = await tagging.set("ENV", "nobody's", Team="net ops")

    # The SDK looks, too, as soon as Azure is done.
    assert tagging.log == ["GET", "asked", "GET", "PUT", "GET", "GET"]
    az = tags_line(tagging.service, {"team": "net ops"}, ["env"])
    assert tagging.asked == [((("team", "ops", "net ops"), ("env", "prod", None)), az)]
    [sent] = tagging.sent
    body = json.loads(sent.content)
    assert body["tags"] == {"team": "net ops"}, "as the service spells it"
    assert body["properties"]["inTheFuture"] == {"kept": [1, None]}, "what nobody knows survives"
    assert sent.headers["if-match"] == body["etag"]
    assert outcome is not None
    assert outcome.after is not None
    assert tags_of(outcome.after) == {"team": "net ops"}
    first, last = tagging.journal
    assert (first["outcome"], last["outcome"]) == ("sent", "done")
    for line in (first, last):
        assert (line["side"], line["verb"], line["id"], line["az"]) == ("isv", "set tags", tagging.service.text, az)


async def test_why_not_comes_before_everything(tagging: Tagging) -> None:
    tagging.made.runtime.gate.read_only = True
    with pytest.raises(RefusedError, match="started read-only"):
        await tagging.set(env="prod")

    tagging.made.runtime.gate.read_only = False
    with pytest.raises(RefusedError, match="are so already"):
        await tagging.set("nothing")
    assert tagging.log == []

    await tagging.others_set(env="prod")
    with pytest.raises(RefusedError, match="are so already"):
        await tagging.set(ENV="prod")
    assert tagging.log == ["GET"]
    with pytest.raises(RefusedError, match="Azure takes 50 tags"):
        await tagging.set(**{f"t{number}": "x" for number in range(50)})
    assert (tagging.asked, tagging.journal) == ([], [])


async def test_a_service_that_is_gone_is_told(tagging: Tagging) -> None:
    tagging.service = ResourceId(f"{tagging.service.text}Gone")
    with pytest.raises(NotFoundError, match="Gone is not there"):
        await tagging.set(env="prod")


async def test_what_changes_while_the_person_thinks_is_not_overwritten(tagging: Tagging) -> None:
    async def meanwhile() -> None:
        await tagging.others_set(env="test")

    tagging.while_asked = meanwhile
    with pytest.raises(RefusedError, match="have been changed since you were asked"):
        await tagging.set(env="prod")
    assert (await tagging.tags(), tagging.journal) == ({"env": "test"}, [])


async def test_another_tag_that_comes_meanwhile_stays(tagging: Tagging) -> None:
    async def meanwhile() -> None:
        await tagging.others_set(owner="alice")

    tagging.while_asked = meanwhile
    await tagging.set(env="prod")
    assert await tagging.tags() == {"owner": "alice", "env": "prod"}


async def test_who_writes_in_the_same_moment_is_not_overwritten(tagging: Tagging) -> None:
    async def meanwhile(_: Request) -> None:
        tagging.on_put = None
        await tagging.others_set(owner="alice")

    tagging.on_put = meanwhile
    await tagging.set(env="prod")
    assert await tagging.tags() == {"owner": "alice", "env": "prod"}
    assert [line["outcome"] for line in tagging.journal] == ["sent", "done"]
    first, second = (sent.headers["if-match"] for sent in tagging.sent)
    assert first != second, "it is looked at before each try"


async def test_who_changes_the_same_tags_in_the_same_moment_is_not_overwritten(tagging: Tagging) -> None:
    async def meanwhile(_: Request) -> None:
        await tagging.others_set(env="test")

    tagging.on_put = meanwhile
    with pytest.raises(RefusedError, match="have been changed since you were asked"):
        await tagging.set(env="prod")
    assert (await tagging.tags(), len(tagging.sent)) == ({"env": "test"}, 1)
    assert [line["outcome"] for line in tagging.journal] == ["sent", "Refused"]


def refusal(status: int, code: str, **headers: str) -> Response:
    return Response(status, {"error": {"code": code, "message": "Not now."}}, headers)


SLOWER = refusal(429, "TooManyRequests", **{"x-ms-retry-after-ms": "1"})
BUSY = refusal(409, "AnotherOperationInProgress")


async def test_azure_s_waits_are_kept_and_told_before_a_change_and_at_it(tagging: Tagging) -> None:
    """As for a decision."""
    told: list[str] = []
    answers = {"GET": [SLOWER], "PUT": [SLOWER, BUSY]}
    meddle = tagging.made.meddle
    assert meddle is not None

    async def refuse(request: Request) -> Response | None:
        left = answers.get(request.method, []) if request.path.lower() == tagging.service.key else []
        return left.pop(0) if left else await meddle(request)

    tagging.made.meddle = refuse
    outcome = await tagging.made.runtime.gate.perform(
        tag_change(tagging.service, {"env": "prod"}), unasked, retrying=lambda error, _: told.append(error.code)
    )
    assert outcome is not None
    assert await tagging.tags() == {"env": "prod"}
    assert told == ["TooManyRequests", "TooManyRequests", "AnotherOperationInProgress"]
    assert [line["outcome"] for line in tagging.journal] == ["sent", "done"]


async def test_what_writes_is_made_ready_before_the_last_look(
    tagging: Tagging, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Road._make_clients

    def make(road: Road) -> Clients:
        tagging.log.append("clients")
        return real(road)

    monkeypatch.setattr(Road, "_make_clients", make)
    await tagging.set(env="prod")
    assert tagging.log[:5] == ["GET", "asked", "clients", "GET", "PUT"]


async def test_the_tries_have_an_end(tagging: Tagging) -> None:
    async def busy(_: Request) -> Response:
        return BUSY

    tagging.on_put = busy
    with pytest.raises(AzureError, match="Not now"):
        await tagging.set(env="prod")
    assert len(tagging.sent) == 3


async def test_who_asks_for_a_long_wait_does_not_hold_up_the_read_back(tagging: Tagging) -> None:
    """The write is taken and its answer lost, and from then on Azure asks for an hour's patience."""
    meddle = tagging.made.meddle
    assert meddle is not None

    async def refuse(request: Request) -> Response | None:
        if tagging.sent and request.path.lower() == tagging.service.key:
            return refusal(429, "TooManyRequests", **{"Retry-After": "3600"})
        return await meddle(request)

    async def cut(_: Request) -> Response:
        raise Drop

    tagging.on_put, tagging.made.meddle = cut, refuse
    with pytest.raises(OutcomeUnknownError, match="it could not be read back: Not now"):
        await tagging.set(env="prod")
    assert [line["outcome"] for line in tagging.journal] == ["sent", "unknown"]


async def test_who_changes_them_again_is_told_of(tagging: Tagging) -> None:
    async def and_again(request: Request) -> Response:
        answer = await tagging.made.box.handle(request)
        await tagging.others_set(env="test")
        return answer

    tagging.on_put = and_again
    with pytest.raises(DecidedOtherwiseError, match="its tags are env=test") as told:
        await tagging.set(env="prod")
    assert "deci" not in str(told.value), "nobody has decided on anything"
    assert [line["outcome"] for line in tagging.journal] == ["sent", "done, decided otherwise"]


@pytest.mark.parametrize("taken", [True, False])
async def test_an_answer_that_is_lost_is_looked_for_and_nothing_sent_again(tagging: Tagging, taken: bool) -> None:
    async def cut(request: Request) -> Response:
        if taken:
            await tagging.made.box.handle(request)
        raise Drop

    tagging.on_put = cut
    if taken:
        assert await tagging.set(env="prod") is not None
    else:
        with pytest.raises(OutcomeUnknownError, match="It is not known whether Azure has done it: it has no tags"):
            await tagging.set(env="prod")
    assert len(tagging.sent) == 1
    assert [line["outcome"] for line in tagging.journal] == ["sent", "done" if taken else "unknown"]


async def test_a_change_that_azure_has_taken_and_does_not_show_is_done(tagging: Tagging) -> None:
    async def stale(request: Request) -> Response:
        return Response(200, json.loads(request.content))

    tagging.on_put = stale
    outcome = await tagging.set(env="prod")
    assert outcome is not None
    assert (outcome.after, outcome.unread) == (None, "it has no tags; look again in a while")
    assert tagging.journal[-1]["outcome"] == "done"
