"""Every request of every command, harmed once in every way: cut, stalled, halved, garbled.

The lab is built, decided on, probed and taken down, round after round, on a sandbox of its own. In each round requests
are harmed that have not been, in a way that they have not been; decisions and probes suffer one harm at a time.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.chaos import judge
from tests.chaos.report import Report
from tests.chaos.roads import Box, Person, Ran
from tests.chaos.truth import Truth
from tests.support.cutting import Asked, Harm

ENDPOINT = "saasPrivateEndpoint"
GROUPS = ("/resourcegroups/privatelink-pls-microhack-rg", "/resourcegroups/privatelink-dns-microhack-rg")

HARMS = (Harm.CUT_BEFORE, Harm.CUT_AFTER, Harm.HALF, Harm.NOT_HTTP, Harm.NOT_JSON, Harm.STALL)

SEVERAL = 12
"""Requests that are harmed in one run of the lab."""

DECISIONS = 8
"""Decisions between building the lab and taking it down."""

SCRIPTS = {"PLSTUI_PROBE_ROUTES": "run-command", "PLSTUI_PROBE_COUNT": "2"}

_NAMES = re.compile(
    r"/(subscriptions|resourcegroups|operations|operationstatuses|operationresults)/[^/]+|[0-9a-f-]{36}"
)


def kind(asked: Asked) -> str:
    """A request without what differs from run to run."""
    return f"{asked.method} {_NAMES.sub('/…', asked.path.lower())}"


class Picker:
    """Chooses which requests of a command are harmed, and how: what has not been done before, writes first."""

    def __init__(self, seed: int, report: Report) -> None:
        self._random = random.Random(f"requests {seed}")
        self._report = report
        self._known: dict[str, dict[str, None]] = {}
        """By command, the requests it has made so far, in order."""
        self._done: set[tuple[str, str, Harm]] = set()
        self._command = ""
        self._plan: dict[str, Harm] = {}
        self._times: Counter[str] = Counter()
        self.last = ""
        """What was done last."""

    @property
    def coverage(self) -> str:
        """How many of the harms to the requests that were seen have been done."""
        return f"{len(self._done)} of {sum(map(len, self._known.values())) * len(HARMS)}"

    def begin(self, command: str, most: int) -> None:
        """Harm so many requests of a command that begins now; none in its first run, which shows what there is."""
        self._command, self._plan, self.last = command, {}, ""
        self._times.clear()
        known = self._known.setdefault(command, {})
        left = [(what, harm) for what in known for harm in HARMS if (command, what, harm) not in self._done]
        self._random.shuffle(left)
        # A write whose answer is lost is what most depends on; half of them for the rest, which are many more.
        writes_first = self._random.random() < 0.5
        left.sort(key=lambda each: (each[1] is Harm.STALL, writes_first and each[0].startswith("GET")))
        for what, harm in left[:most]:
            self._plan.setdefault(what, harm)

    def __call__(self, asked: Asked) -> Harm | None:
        """What happens to a request."""
        what = kind(asked)
        self._times[what] += 1
        what = f"{what} ({self._times[what]})"
        self._known[self._command][what] = None
        harm = self._plan.pop(what, None)
        if harm:
            self._done.add((self._command, what, harm))
            self.last = f"{harm.name} at {what}"
            self._report.count("requests harmed one by one")
            self._report.event(f"{self._command}: {self.last}")
        return harm


class EveryRequest:
    """One sandbox, one person, one command after the other."""

    def __init__(self, folder: Path, seed: int, report: Report) -> None:
        self._folder, self._report = folder, report
        self._picker = Picker(seed, report)
        self._truth = Truth(folder / "requests" / "log.jsonl")
        self._number = 0
        self._usual: dict[str, Mapping[tuple[str, str], int]] = {}

    def run(self, over: Callable[[], bool]) -> None:
        """Rounds until it is over; a round is left where it is then."""
        with ExitStack() as stack:
            self._box = Box(self._folder / "requests", "empty")
            stack.callback(self._box.stop)
            self._road = stack.enter_context(self._box.road("requests"))
            self._person = Person(self._folder / "requests" / "home")
            stack.callback(self._person.leave)
            # What the lab writes when nothing happens to it: more of the same is doubled.
            self._up(harm=False)
            self._down(harm=False)
            while not over():
                for part in (self._up, *[self._decide] * DECISIONS, self._probe, self._remove, self._down):
                    part()
                    if over():
                        break
                self._report.count("rounds of the lab")
            for wrong in judge.unpaired(self._person.journal):
                self._report.wrong("journal pairs incomplete", wrong)
            self._report.count("writes in journals", self._person.journal.count('"outcome": "sent"'))
            self._report.coverage = self._picker.coverage

    def _run(self, command: str, *arguments: str, most: int = 0, environ: dict[str, str] | None = None) -> Ran:
        self._number += 1
        self._road.label = f"{command} {self._number}"
        self._road.heal()
        self._picker.begin(command, most)
        self._road.choose(self._picker)
        ran = self._person.run("--config", str(self._road.config), *arguments, "--json", environ=environ)
        self._road.heal()
        self._truth.read()
        self._report.count("commands run through the proxy")
        self._report.event(f"{self._road.label}: exit code {ran.exit_code} after {ran.ended - ran.began:.1f} s")
        if ran.broken:
            self._wrong("other errors", ran.broken)
        return ran

    def _wrong(self, what: str, how: str) -> None:
        self._report.wrong(what, f"{self._road.label} ({self._picker.last}): {how}")

    def _doubled(self, command: str) -> None:
        for wrong in judge.doubled(self._road.label, self._truth, self._usual.get(command)):
            self._wrong("doubled writes", wrong)

    # The lab

    def _up(self, *, harm: bool = True) -> None:
        ran = self._run("up", "lab", "up", "--approve", most=SEVERAL if harm else 0)
        if not harm:
            self._usual["up"] = self._taken()
        self._doubled("up")
        done = bool((ran.json or {}).get("ok"))
        again = self._run("up", "lab", "up", "--approve") if harm else ran
        document = again.json or {}
        if not document.get("ok"):
            self._wrong("other errors", f"the lab cannot be built when nothing is in the way: {again.out[-800:]}")
        elif harm and done and (writes := sum(step["writes"] for step in document["steps"])):
            self._wrong("wrong states told", f"the lab was told to stand, and {writes} writes were missing")

    def _down(self, *, harm: bool = True) -> None:
        ran = self._run("down", "lab", "down", "--yes", most=SEVERAL if harm else 0)
        if not harm:
            self._usual["down"] = self._taken()
        self._doubled("down")
        left = self._standing()
        if (ran.json or {}).get("ok") and left:
            self._wrong("wrong states told", f"the lab was told to be gone, and there are {left[:3]}")
        if left:
            again = self._run("down", "lab", "down", "--yes")
            if not (again.json or {}).get("ok") or self._standing():
                self._wrong("other errors", f"the lab cannot be taken down: {again.out[-800:]}")

    def _taken(self) -> Mapping[tuple[str, str], int]:
        return Counter((write.method, write.id) for write in self._truth.accepted(self._road.label))

    def _standing(self) -> list[str]:
        return [each for each in self._ids() if any(group in each for group in GROUPS)]

    def _ids(self) -> list[str]:
        state = self._box.served.control("GET", "/state")
        return [resource["id"].lower() for resource in state["resources"]]

    # Decisions

    def _decide(self) -> None:
        """What is possible: the opposite of what is."""
        now = time.time()
        self._verb("reject" if self._truth.was_endpoints(ENDPOINT, "Approved", now, now) else "approve")

    def _remove(self) -> None:
        self._verb("remove")

    def _verb(self, verb: str) -> None:
        ran = self._run(verb, "connections", verb, ENDPOINT, "--yes", most=1)
        results = (ran.json or {}).get("results") or ()
        for result in results:
            self._report.count("decisions told")
            told = judge.Told(self._road.label, ran.began, ran.ended, result)
            if wrong := judge.wrong_decision(told, self._truth):
                self._wrong("wrong states told", f"{wrong}: {ran.out}")
        if not results and self._truth.accepted(self._road.label):
            self._wrong("wrong states told", f"told as not done, and it was taken: {ran.out}")
        self._doubled(verb)

    # A probe

    def _probe(self) -> None:
        ran = self._run("probe", "probe", most=1, environ=SCRIPTS)
        self._doubled("probe")
        for target in (ran.json or {}).get("targets", ()):
            self._report.count("targets told")
            own = {target["name"]} if target["kind"] == "backend" else {"web1", "web2", "web3"}
            if not set(target["hosts"]) <= own:
                self._wrong("wrong states told", f"{target['name']} answered as {target['hosts']}")
        runs = Counter(_machine(write.id) for write in self._truth.accepted(self._road.label) if _runs(write))
        for machine, times in runs.items():
            if times > 1:
                self._wrong("doubled writes", f"a script ran {times} times in {machine}")
        left = [each for each in self._ids() if "/runcommands/" in each]
        for name in (each.rpartition("/")[2] for each in left):
            if name not in ran.out + ran.err:
                self._wrong("wrong states told", f"{name} was left behind, and nobody was told: {ran.out[-800:]}")


def _runs(write: Any) -> bool:
    """Whether a write has run a script."""
    put = write.method == "PUT" and "/runcommands/" in write.id
    return put or (write.method == "POST" and write.id.endswith("/runcommand"))


def _machine(resource_id: str) -> str:
    return resource_id.partition("/virtualmachines/")[2].partition("/")[0]
