"""The world `fleet`: how fast it is served, how fast it is read, and how fast it is for a person.

    python -m tests.bench.fleet [ROUNDS]

Served: seconds from the start of the process until it is ready, milliseconds over HTTPS (median and worst of the
rounds) for the services of the group with the fullest one, for all services, and for a decision about one of a thousand
connections, and the memory of the process at the end.

Read: milliseconds of one refresh of each side by the reader, and the longest time in it during which nothing else ran:
a key that is pressed then is answered so much later. The health queries of a side are counted.

For a person: milliseconds of `plstui --sandbox=fleet` in a terminal from the start until both sides' groups are shown,
from a key until it shows, from Enter in the dialog until the ISV's side says Approved, and from `q` to the end of the
process, also when it is pressed while the world is still being built.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plstui.arm.side import open_side
from plstui.config.load import load
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.domain.snapshot import Tier
from tests.bench.program import Program, program
from tests.support.served import Served, serve

SERVICES = "/providers/Microsoft.Network/privateLinkServices"
API_VERSION = "2024-05-01"


class Connection:
    """One kept connection, as a client's pool has it."""

    def __init__(self, served: Served) -> None:
        context = ssl.create_default_context(cafile=served.ready["ca"])
        host, _, port = served.ready["arm"].removeprefix("https://").partition(":")
        self._http = http.client.HTTPSConnection(host, int(port), context=context)
        self._headers = {"Authorization": f"Bearer {served.token('isv')}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[float, Any]:
        """Milliseconds until the whole answer is there, and the answer."""
        content = None if body is None else json.dumps(body)
        start = time.perf_counter()
        self._http.request(method, f"{path}?api-version={API_VERSION}", content, self._headers)
        response = self._http.getresponse()
        text = response.read()
        taken = (time.perf_counter() - start) * 1000
        if response.status >= 400:
            raise SystemExit(f"{method} {path}: {response.status} {text.decode()}")
        return taken, json.loads(text)


def listed(connection: Connection, scope: str, rounds: int) -> None:
    """Time the LIST of the services in a scope."""
    answers = [connection.call("GET", scope + SERVICES) for _ in range(rounds)]
    services = answers[0][1]["value"]
    size = sum(len(service["properties"]["privateEndpointConnections"]) for service in services)
    show(f"LIST of {len(services)} services, {size} connections", [taken for taken, _ in answers])


def decided(connection: Connection, service: dict[str, Any], rounds: int) -> None:
    """Time the approval of pending connections of one service."""
    state = {"status": "Approved", "description": "measured"}
    times: list[float] = []
    for item in service["properties"]["privateEndpointConnections"]:
        if item["properties"]["privateLinkServiceConnectionState"]["status"] == "Pending" and len(times) < rounds:
            body = {"properties": {"privateLinkServiceConnectionState": state}}
            times.append(connection.call("PUT", item["id"], body)[0])
    show("approval of one of a thousand", times)


def show(what: str, times: list[float]) -> None:
    """One line of the report."""
    print(f"{what:45}   {statistics.median(times):6.1f} ms median   {max(times):6.1f} ms worst")


async def read(served: Served, rounds: int) -> None:
    """Time the refreshes of both sides, and what they keep waiting."""
    settings = load(served.config, environ={})
    for side in Side:
        reader = open_side(settings, side).reader
        for what, tiers in (("connections", Tier.CONNECTIONS), ("all", Tier.ALL)):
            found = await reader.read(tiers)  # What has been read before is what a session is about.
            times, blocks = [], []
            for _ in range(rounds):
                start = time.perf_counter()
                async with stopped() as block:
                    found = await reader.read(tiers)
                times.append((time.perf_counter() - start) * 1000)
                blocks.append(max(block))
            show(f"{side}: refresh of {what}", times)
            show(f"{side}: longest stop in it", blocks)
        before = questions(served)
        start = time.perf_counter()
        await reader.read_health(found.resources[Kind.BALANCERS])
        show(f"{side}: {questions(served) - before} questions about health", [(time.perf_counter() - start) * 1000])
        await reader.close()


def questions(served: Served) -> int:
    """How many questions about health the sandbox has had."""
    counters: dict[str, int] = served.control("GET", "/counters")
    return sum(count for what, count in counters.items() if what.startswith("POST ") and "health" in what.lower())


@asynccontextmanager
async def stopped() -> AsyncIterator[list[float]]:
    """Milliseconds that the event loop was late again and again, while the block runs."""
    late = [0.0]

    async def tick() -> None:
        before = time.perf_counter()
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            late.append((now - before) * 1000)
            before = now

    ticking = asyncio.create_task(tick())
    try:
        yield late
    finally:
        ticking.cancel()


@dataclass
class Seen:
    """What a person waits for in one program after the other."""

    program: Program
    times: defaultdict[str, list[float]]

    def time(self, what: str, key: str, shown: Callable[[str], bool]) -> None:
        """Press a key of a program at rest and time what it brings."""
        self.program.rest()
        self.program.press(key)
        self.times[what].append(self.program.until(shown))

    def leave(self, what: str) -> None:
        """Press q and time the end."""
        self.program.press("q")
        self.times[what].append(self.program.ended())


def used(rounds: int) -> None:
    """Time what a person sees, with everything embedded."""
    command = [sys.executable, "-m", "plstui", "--sandbox=fleet"]
    times: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        with program(command) as running:
            seen = Seen(running, times)
            groups = running.until(lambda output: "core-rg" in output and "tradewinds-rg" in output)
            times["start until both sides' groups are shown"].append(groups)
            seen.time("j until the cursor has moved", "j", lambda output: "▸" in output)
            seen.time("N until the next request is selected", "N", lambda output: "◷ Pending" in output)
            seen.time("a until it asks", "a", lambda output: "--connection-status" in output)
            seen.time("Enter until it shows Approved", "\r", lambda output: "is Approved now" in output)
            seen.time("/ until words can be typed", "/", lambda output: "words of status" in output)
            seen.time("a letter until the table is filtered", "z", lambda output: "/z" in output)
            seen.time("Enter until the keys are back", "\r", lambda output: "Approve" in output)
            running.rest()
            seen.leave("q until the process has ended")
        with program(command) as running:
            running.until(lambda output: "fleet" in output)
            Seen(running, times).leave("q while the world is being built")
    for what, taken in times.items():
        show(what, taken)


def memory(pid: int) -> float:
    """Megabytes that a process holds in memory. Linux tells it."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Serve it once and measure."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with serve(Path(folder), "fleet") as served:
            print(f"{'ready after':45}   {time.perf_counter() - start:6.2f} s")
            connection = Connection(served)
            subscription = f"/subscriptions/{served.ready['subscriptions']['isv']}"
            services = connection.call("GET", subscription + SERVICES)[1]["value"]
            fullest = max(services, key=lambda service: len(service["properties"]["privateEndpointConnections"]))
            listed(connection, fullest["id"].partition("/providers/")[0], rounds)
            listed(connection, subscription, rounds)
            decided(connection, fullest, rounds)
            asyncio.run(read(served, rounds))
            print(f"{'memory':45}   {memory(served.process.pid):6.0f} MB")
    used(max(1, rounds // 5))


if __name__ == "__main__":
    main()
