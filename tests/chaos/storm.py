"""Mixed faults over a sandbox with two panes attached in real terminals, somebody at one's keys, and a second decider.

In rounds: a storm of some seconds, and then calm, in which both panes have to come back.
"""

from __future__ import annotations

import itertools
import random
import re
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.chaos import judge
from tests.chaos.report import Report
from tests.chaos.roads import Box, Person, Ran, Road, journal_of
from tests.chaos.truth import Truth
from tests.support.cutting import Asked, Harm
from tests.support.served import environment
from tests.support.terminal import Terminal, terminal

SIZE = (160, 48)
COME_BACK = 20.0
"""Seconds within which panes are live after the last fault, or as long as Azure asked to wait and `GRACE`."""
GRACE = 5.0
FRESH = 60.0
"""Seconds that something a live pane shows may be old; more would be a pane that does not follow."""
BEHIND = 6.0
"""Seconds that a pane is behind what is, at most, once it is back: it looks every five."""
LOOK = 0.5
"""Seconds between two looks at the panes."""
STORM, CALM = (6.0, 12.0), (2.0, 5.0)
"""Seconds, at least and at most."""

HARMS = (Harm.CUT_BEFORE, Harm.CUT_AFTER, Harm.HALF, Harm.NOT_HTTP, Harm.NOT_JSON, Harm.STALL)
BACKENDS = ("web1", "web2", "web3")
WRITES_HARMED = 0.4
"""The part of all writes that are harmed in a storm."""
_ROW = re.compile(r"(Pending|Approved|Rejected|Disconnected)\s+([a-z0-9-]+-pe|saasPrivateEndpoint)\s")


class Storm:
    """One sandbox with all who work with it."""

    def __init__(self, folder: Path, seed: int, report: Report) -> None:
        self._random = random.Random(f"storm {seed}")
        self._folder, self._seed, self._report = folder, seed, report
        self._over, self._hands_off = threading.Event(), threading.Event()
        """The second: nobody touches a key, so that no dialog lies over a pane that is looked at."""
        self._truth = Truth(folder / "storm" / "log.jsonl")
        self._truth_lock = threading.Lock()
        self._retry_after = 0.0

    def run(self, over: Callable[[], bool]) -> None:
        """Rounds until it is over; the last one is finished."""
        with ExitStack() as stack:
            self._box = Box(self._folder / "storm", "workshop", "--latency", "fast")
            stack.callback(self._box.stop)
            roads = [stack.enter_context(self._box.road(name)) for name in ("keys", "watcher", "decider")]
            self._roads = roads
            panes = [self._pane(stack, road) for road in roads[:2]]
            person = Person(self._folder / "storm" / "decider")
            stack.callback(person.leave)
            workers = [
                threading.Thread(target=self._guarded, args=(self._decide, person, roads[2])),
                threading.Thread(target=self._guarded, args=(self._press_keys, panes[0])),
            ]
            self._come_back(panes)
            for worker in workers:
                worker.start()
            try:
                while not over():
                    self._round(panes)
            finally:
                self._over.set()
                for worker in workers:
                    worker.join()
                for pane in panes:
                    self._leave(pane)
            self._look_at_journals(person)

    def _pane(self, stack: ExitStack, road: Road) -> Terminal:
        home = self._folder / "storm" / road.label
        home.mkdir()
        command = [sys.executable, "-m", "plstui", "--config", str(road.config)]
        return stack.enter_context(terminal(home, command, size=SIZE, environ=environment(home)))

    def _guarded(self, work: Any, *arguments: Any) -> None:
        try:
            work(*arguments)
        except Exception as error:  # noqa: BLE001 - a thread that dies unseen would make the run a success.
            self._report.wrong("other errors", f"{type(error).__name__} in {work.__name__}: {error}")

    # The weather

    def _round(self, panes: Sequence[Terminal]) -> None:
        self._report.count("storms")
        plan = self._plan()
        self._report.event(f"storm: {', '.join(fault['kind'] for fault in plan)}")
        self._control("POST", "/faults", {"seed": self._random.randrange(10**6), "faults": plan})
        for road in self._roads:
            if self._random.random() < 0.7:
                road.choose(self._harms(road, self._random.choice((0.05, 0.1, 0.2))))
        machine, verb = self._random.choice(BACKENDS), self._random.choice(("stop", "hang"))
        self._control("POST", f"/machines/{machine}/{verb}")
        end = time.time() + self._random.uniform(*STORM)
        crash = time.time() + self._random.uniform(1.0, 6.0) if self._random.random() < 0.4 else end + 1
        while (now := time.time()) < end:
            if now >= crash and self._box.running:
                self._report.event("the sandbox is killed")
                self._report.count("sandboxes killed")
                self._box.kill()
            self._watch(panes)
            self._over.wait(LOOK)
        if not self._box.running:
            self._box.start()
            self._report.event("the sandbox is back")
        self._control("POST", "/faults", {"faults": []})
        for name in BACKENDS:
            self._control("POST", f"/machines/{name}/start")
        for road in self._roads:
            road.heal()
        self._report.event("calm")
        self._come_back(panes)
        self._over.wait(self._random.uniform(*CALM))

    def _plan(self) -> list[dict[str, Any]]:
        """Some faults at once, those that the documents of the sandbox name."""
        rate = self._random.choice((0.05, 0.1, 0.2))
        self._retry_after = float(self._random.choice((1, 2, 5)))
        write = {"type": "*privateEndpointConnections"}
        some: list[dict[str, Any]] = [
            {"kind": "throttle", "rate": rate, "retry_after": self._retry_after},
            {"kind": "error", "rate": rate, "status": self._random.choice((500, 502, 503, 504))},
            {"kind": "html", "rate": rate},
            {"kind": "slow", "rate": rate * 2, "seconds": self._random.choice((0.5, 2.0))},
            {"kind": "drop", "rate": rate},
            {"kind": "retryable", "rate": rate, **write},
            {"kind": "busy", "rate": rate, **write},
            {"kind": "fail-operation", "rate": rate, "code": "InjectedFailure", **write},
            {"kind": "expire-tokens", "times": 2, "rate": rate},
        ]
        return self._random.sample(some, self._random.randint(2, 4))

    def _harms(self, road: Road, rate: float) -> Any:
        chance = random.Random(f"{self._seed} {road.label} {self._report.counts['storms']}")

        def choose(asked: Asked) -> Harm | None:
            # Of the few that decide something, more.
            if chance.random() >= (WRITES_HARMED if asked.method in ("PUT", "DELETE") else rate):
                return None
            self._report.count("requests harmed under the panes")
            return chance.choice(HARMS)

        return choose

    def _control(self, method: str, path: str, body: Any = None) -> None:
        # A machine may have gone with the world that a crash has taken back.
        try:
            self._box.served.control(method, path, body)
        except (urllib.error.URLError, OSError) as error:
            self._report.event(f"{method} {path}: {error}")

    # The panes

    def _come_back(self, panes: Sequence[Terminal]) -> None:
        """See to it that every pane is live, and shows what is."""
        since = time.time()
        self._hands_off.set()
        limit = max(COME_BACK, self._retry_after + GRACE)
        late: dict[int, str] = {}
        waiting = dict(enumerate(panes))
        while waiting and time.time() - since < limit + COME_BACK:
            for number, pane in list(waiting.items()):
                # What a key has opened last lies over what is looked at.
                pane.press("Escape")
                lacking = self._lacking(pane)
                if not lacking:
                    del waiting[number]
                    self._report.count("panes back")
                    self._report.took(time.time() - since)
                    if number in late:
                        self._report.wrong(WHEN, f"pane {number} after {time.time() - since:.1f} s", late[number])
                elif time.time() - since > limit:
                    late.setdefault(number, f"{lacking}:\n{pane.screen()}")
            self._over.wait(LOOK)
        self._hands_off.clear()
        for number in waiting:
            self._report.wrong(WHEN, f"pane {number} not after {time.time() - since:.0f} s", late.get(number, ""))

    def _lacking(self, pane: Terminal) -> str:
        """What a pane lacks to be live; empty when it is."""
        screen = pane.screen()
        now, truth = time.time(), self._known()
        rows = _ROW.findall(screen)
        if screen.count("● live") != 2:
            return "it does not say that it is live"
        old = [row for row in rows if not truth.was_endpoints(row[1], row[0], now - BEHIND, now)]
        return f"it shows {old}" if old else "" if rows else "it shows no connections"

    def _watch(self, panes: Sequence[Terminal]) -> None:
        """What a live pane shows was so a moment ago, also in a storm."""
        for pane in panes:
            screen = pane.screen()
            if "exit code" in screen:
                raise AssertionError(f"a pane has ended:\n{screen}")
            if screen.count("● live") < 2:
                continue
            now, truth = time.time(), self._known()
            for status, endpoint in _ROW.findall(screen):
                self._report.count("states shown")
                if not truth.was_endpoints(endpoint, status, now - FRESH, now):
                    self._report.wrong("wrong states told", f"a live pane shows {endpoint} as {status}", screen)

    def _leave(self, pane: Terminal) -> None:
        until = time.time() + COME_BACK
        keys = itertools.cycle(("q", "Escape"))
        # Apart: Escape and a letter at once are another key to a terminal.
        while "exit code" not in (screen := pane.screen()) and time.time() < until:
            pane.press(next(keys))
            time.sleep(LOOK)
        if "exit code 0" not in screen:
            self._report.wrong("other errors", "a pane was not left by its key", screen)

    def _known(self) -> Truth:
        with self._truth_lock:
            self._truth.read()
            return self._truth

    # Who decides

    def _press_keys(self, pane: Terminal) -> None:
        """Somebody who decides at one of the panes, and does not always wait to see what comes of it."""
        chance = random.Random(f"keys {self._seed}")
        while not self._over.is_set():
            if self._hands_off.is_set():
                self._over.wait(LOOK)
                continue
            pane.press("N" if chance.random() < 0.7 else chance.choice(("Down", "Up")))
            verb = chance.choice(("a", "x", "a", "x", "d", "p", "r"))
            pane.press(verb)
            self._report.count("keys pressed in a pane")
            self._over.wait(chance.uniform(0.5, 2.5))
            if verb in "axd":
                pane.press({"d": "y"}.get(verb, "Enter"))
                self._over.wait(chance.uniform(0.1, 1.0))
            pane.press("Escape")

    def _decide(self, person: Person, road: Road) -> None:
        """The second decider: lists, decides on one of what it sees, and is told the truth."""
        chance = random.Random(f"decider {self._seed}")
        at = ("--config", str(road.config))
        seen: Sequence[dict[str, Any]] = ()
        number = 0
        while not self._over.is_set():
            number += 1
            if not seen or chance.random() < 0.4:
                listed = person.run(*at, "connections", "list", "--json")
                seen = self._listed(listed) or seen
                continue
            connection = chance.choice(seen)
            verb = chance.choice(("approve", "reject", "approve", "reject", "remove"))
            road.label = f"decider {number}"
            self._report.event(f"{road.label}: {verb} {connection['endpoint']}")
            given = () if verb == "remove" else ("--description", f"chaos {number}")
            ran = person.run(*at, "connections", verb, connection["id"], "--yes", "--json", *given)
            if self._decided(ran, road.label):
                seen = ()

    def _listed(self, ran: Ran) -> Sequence[dict[str, Any]]:
        self._report.count("lists told")
        if ran.broken:
            self._report.wrong("other errors", f"list: {ran.broken}")
        connections: Sequence[dict[str, Any]] = (ran.json or {}).get("connections") or ()
        with self._truth_lock:
            self._truth.read()
            for wrong in judge.wrong_list(connections, self._truth, ran.began, ran.ended):
                self._report.wrong("wrong states told", wrong)
        return connections

    def _decided(self, ran: Ran, label: str) -> bool:
        """Judge what was told; whether what it was about is not there any more."""
        if ran.broken:
            self._report.wrong("other errors", f"{label}: {ran.broken}")
        document = ran.json or {}
        results = document.get("results") or ()
        missing = False
        with self._truth_lock:
            self._truth.read()
            for result in results:
                code = (result["error"] or {}).get("code", "ok" if not result["unread"] else "ok, not read back")
                missing |= code == "NotFound"
                self._report.count("decisions told")
                self._report.event(f"{label}: {code} {result['status']}")
                if wrong := judge.wrong_decision(judge.Told(label, ran.began, ran.ended, result), self._truth):
                    self._report.wrong("wrong states told", f"{label}: {wrong}: {ran.out}")
            if not results and self._truth.accepted(label):
                self._report.wrong("wrong states told", f"{label}: told as not done, and it was taken: {ran.out}")
        return missing

    def _look_at_journals(self, person: Person) -> None:
        """At the end: every write has begun and ended in a journal, and none was taken more often than it was sent."""
        self._truth.read()
        panes = {name: journal_of(self._folder / "storm" / name) for name in ("keys", "watcher")}
        for text in (*panes.values(), person.journal):
            self._report.count("writes in journals", text.count('"outcome": "sent"'))
            for wrong in judge.unpaired(text):
                self._report.wrong("journal pairs incomplete", wrong)
        labels = {write.by for write in self._truth.writes}
        for label in labels:
            self._report.count("writes taken", len(self._truth.accepted(label)))
        for label in labels - {"keys", "watcher", ""}:
            for wrong in judge.doubled(label, self._truth):
                self._report.wrong("doubled writes", f"{label}: {wrong}")
        for name, text in panes.items():
            for wrong in judge.more_than_sent(name, self._truth, text):
                self._report.wrong("doubled writes", f"{name}: {wrong}")


WHEN = "panes that did not come back in time"
