"""The world `fleet` as it is served: how soon it is there, how fast it answers, what it weighs.

    python -m tests.bench.fleet [ROUNDS]

Prints seconds from the start of the process until it is ready, milliseconds over HTTPS (median and worst of the rounds)
for the services of the group with the fullest one, for all services, and for a decision about one of a thousand
connections, and the memory of the process at the end.
"""

from __future__ import annotations

import http.client
import json
import ssl
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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
            print(f"{'memory':45}   {memory(served.process.pid):6.0f} MB")


if __name__ == "__main__":
    main()
