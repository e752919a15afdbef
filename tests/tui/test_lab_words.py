"""What the lab screen says: its commands and why not, its log, and what others have written, made harmless."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest

from plstui.config.settings import Lab
from plstui.domain.probe import Attempt, Failure, Target, TargetKind, TargetResult
from plstui.domain.sides import Side
from plstui.domain.states import Tone
from plstui.lab.guide import COMMANDS, Guide, joined
from plstui.lab.parts import StepState, Survey
from plstui.lab.progress import Event, Kind, StepStatus, assess
from plstui.lab.steps import Choices, Workshop, workshop
from plstui.tui.commands import bindings
from plstui.tui.keys import every_key
from plstui.tui.lab.commands import LAB_COMMANDS, LabContext, guide
from plstui.tui.lab.words import badge, elapsed, event_line, numbers, page_line, plan, step_text

SUBSCRIPTIONS = {
    Side.ISV: "11111111-0000-4000-8000-000000000001",
    Side.CUSTOMER: "22222222-0000-4000-8000-000000000002",
}
HOSTILE = "\x1b[2J[bold red]evil[/]\u202e\r\nnext"
HARMLESS = "[2J[bold red]evil[/] next"


def lab() -> Workshop:
    choices = Choices(region="westeurope", size="Standard_B2s", public_key="ssh-ed25519 AAAA me", run="r1")
    return workshop(Lab(), SUBSCRIPTIONS, choices)


def statuses() -> tuple[StepStatus, ...]:
    """Where the steps of a lab stand of which nothing is there."""
    return assess(lab().steps, Survey())


def test_no_clause_begins_with_what_capitals_would_change() -> None:
    keys = every_key({})
    for words in (COMMANDS, guide(keys)):
        for name in (field.name for field in fields(Guide) if field.name not in ("naming", "side")):
            clause = getattr(words, name)
            assert clause.split()[0] not in {*keys.values(), "plstui"}, clause
            assert joined("", clause) == f"{clause[0].upper()}{clause[1:]}."
    assert joined("", guide(keys).up) == "Press n or u to go on from there."
    assert joined("", COMMANDS.doctor) == "Run plstui doctor to look for the reason."


def test_what_stops_the_next_step_is_told_in_plain_characters() -> None:
    stuck = tuple(replace(status, state=StepState.BLOCKED, because=HOSTILE) for status in statuses())
    context = LabContext(statuses=stuck)
    offer = next(command for command in LAB_COMMANDS if command.id == "lab-next").offer(context, every_key({}))
    assert offer.why_not == f"Step 1, {stuck[0].step.title}, cannot be done: {HARMLESS}."


def test_no_key_has_two_commands_and_a_browser_leaves_all_alone() -> None:
    keys = [binding.key for binding in bindings(LAB_COMMANDS)]
    assert len(set(keys)) == len(keys)
    assert not any("+" in key or re.fullmatch(r"f\d+", key) for key in keys)
    assert [entry.id for entry in LAB_COMMANDS if entry.dangerous] == ["lab-undo", "lab-down"]


@pytest.mark.parametrize(
    "context",
    [
        LabContext(),
        LabContext(statuses=statuses()),
        LabContext(statuses=statuses(), doing="steps 1 to 9"),
        LabContext(statuses=tuple(replace(status, state=StepState.DONE) for status in statuses())),
        LabContext(statuses=tuple(replace(status, state=StepState.BLOCKED, because="so") for status in statuses())),
    ],
    ids=["not read yet", "nothing there", "under way", "all done", "all blocked"],
)
def test_every_reason_is_a_sentence(context: LabContext) -> None:
    reasons = {entry.id: entry.why_not(context) for entry in LAB_COMMANDS}
    for reason in filter(None, reasons.values()):
        assert reason.endswith(".")
        assert reason[0].isupper()
    always = {"lab-back", "help", "quit", "palette", "theme", "next", "lab-step"}
    assert {name for name in always if reasons[name]} == set()
    assert (reasons["lab-stop"] is None) == bool(context.doing)


def test_the_next_step_is_the_first_that_is_needed_or_has_failed() -> None:
    seen = statuses()
    done = [replace(status, state=StepState.DONE) for status in seen[:3]]
    failed = replace(seen[3], state=StepState.FAILED)
    context = LabContext(statuses=(*done, failed, *seen[4:]))
    assert context.next == failed


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, ""), (0.41, "0.4 s"), (9.96, "10.0 s"), (12.4, "12 s"), (59, "59 s"), (125, "2:05")]
)
def test_times_read_as_people_say_them(seconds: float, words: str) -> None:
    assert elapsed(seconds) == words


def test_a_decision_is_waited_for() -> None:
    approval = next(status for status in statuses() if status.step.id == "approval")
    assert badge(replace(approval, state=StepState.RUNNING)).text == "◷ waiting"
    assert badge(replace(statuses()[0], state=StepState.RUNNING)).text == "◌ running"


@pytest.mark.parametrize("kind", [Kind.SENT, Kind.RETRY, Kind.WAITING, Kind.STEP])
def test_what_azure_says_is_harmless_in_the_log(kind: Kind) -> None:
    line = event_line(Event(kind, lab().steps[0], HOSTILE, 1.0))
    assert line is not None
    assert line.text.endswith(HARMLESS)
    assert line.text.isprintable()


def test_the_log_leaves_out_what_the_steps_show() -> None:
    step = lab().steps[0]
    assert event_line(Event(Kind.DONE, step, "resource group", 1.0)) is None
    assert event_line(Event(Kind.STEP, step, step.title, 1.0)) is None
    failed = event_line(Event(Kind.STEP, step, "failed: No.", 1.0))
    assert failed is not None
    assert failed.text == "✖ Resource group: No."
    undone = event_line(Event(Kind.STEP, step, "undone", 1.0))
    assert undone is not None
    assert (undone.text, undone.tone) == ("↶ Resource group: undone", Tone.QUIET)


def test_what_a_page_says_is_harmless() -> None:
    target = Target("web1", TargetKind.BACKEND, Side.ISV, "10.0.1.4", 80)
    good = TargetResult(target, "ssh web1", (Attempt(host="web1"), Attempt(host=HOSTILE)))
    assert page_line(good).text == f"✔ Host: {HARMLESS} ×1, web1 ×1"
    bad = TargetResult(target, "ssh web1", (Attempt(host="web1"), Attempt(failure=Failure.TIMEOUT, error=HOSTILE)))
    assert page_line(bad).text == f"✖ {HARMLESS} (Host: web1 ×1)"


def test_a_step_is_told_as_azure_has_it_and_harmlessly() -> None:
    made = lab()
    assert made.provider is not None
    service = {"properties": {"provisioningState": "Succeeded", "alias": HOSTILE}}
    survey = Survey({made.provider.service: service})
    status = replace(assess(made.steps, survey)[8], because=HOSTILE)
    told = step_text(made, status, survey, under_way={}, results=())
    assert told.because == HARMLESS
    assert ("Alias", HARMLESS) in [(name, line.text) for name, line in told.outcome]
    assert told.az[0].startswith("az network private-link-service create --name saasPrivateLinkService")
    network = step_text(
        made, assess(made.steps, survey)[1], survey, under_way={made.provider.network: "it"}, results=()
    )
    assert [part.text for part in network.parts][-1] == "◌ virtual network virtualNetwork"


def test_a_plan_names_what_each_side_gets() -> None:
    found = plan(statuses(), SUBSCRIPTIONS)
    assert found is not None
    assert [(side, subscription) for side, subscription, _ in found.sides] == list(SUBSCRIPTIONS.items())
    (_, _, isv), (_, _, customer) = found.sides
    assert [number for number, _ in isv] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert dict(customer)[12] == "private endpoint saasPrivateEndpoint"
    assert plan(statuses()[9:10], SUBSCRIPTIONS) is None, "an alias is waited for, not written"
    assert (numbers(lab().steps[:3]), numbers(lab().steps[4:5])) == ("steps 1 to 3", "step 5")
