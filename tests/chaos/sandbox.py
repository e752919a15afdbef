"""A sandbox that writes down what it holds and what it takes: `python -m tests.chaos.sandbox LOG serve …`.

One JSON object a line, written at once: whoever kills it loses none. `at` is seconds since the epoch.

    {"at", "began": true}                                   a sandbox that was just started: all that was held is gone
    {"at", "id", "endpoint", "held": STATUS or null}        what a connection is from now on; null when it is gone
    {"at", "came", "id", "method", "by", "status"}          a write of a client that the gateway has answered
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import plstui.sandbox.server as server
from plstui.cli.main import run
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.sandbox import Sandbox

LABEL = "x-plstui-chaos"
"""The header in which a proxy says whose request it is."""

SERVICE, ENDPOINT = "Microsoft.Network/privateLinkServices", "Microsoft.Network/privateEndpoints"
LISTS = {
    SERVICE: ("privateEndpointConnections",),
    ENDPOINT: ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"),
}
"""Where connections stand."""

LOG = Path(sys.argv[1] if len(sys.argv) > 1 else os.devnull)


def write(**line: object) -> None:
    descriptor = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, json.dumps({"at": time.time(), **line}).encode() + b"\n")
    finally:
        os.close(descriptor)


class LoggedSandbox(Sandbox):
    """Writes down every change of a connection's status, and every write that is answered."""

    def __post_init__(self) -> None:
        super().__post_init__()
        write(began=True)
        self._held: dict[str, tuple[str, str]] = {}
        self.azure.store.subscribe(self._changed)
        self._answer, self.gateway.handle = self.gateway.handle, self._take  # type: ignore[method-assign]

    def _changed(self, resource_id: str) -> None:
        """As either side has it: by the service's connection, and by the endpoint's own."""
        if not any(kind in resource_id.lower() for kind in ("/privatelinkservices/", "/privateendpoints/")):
            return
        now: dict[str, tuple[str, str]] = {}
        for kind, lists in LISTS.items():
            for owner in self.azure.store.of_type(kind):
                for connection in (each for name in lists for each in owner["properties"].get(name) or []):
                    state = connection["properties"]["privateLinkServiceConnectionState"]
                    endpoint = owner["name"] if kind == ENDPOINT else connection["name"].rpartition(".")[0]
                    now[connection["id"].lower()] = endpoint.lower(), state["status"]
        for key in self._held.keys() | now.keys():
            if self._held.get(key) != now.get(key):
                endpoint = (now.get(key) or self._held[key])[0]
                write(id=key, endpoint=endpoint, held=now[key][1] if key in now else None)
        self._held = now

    async def _take(self, request: Request) -> Response:
        # What asks for health is a POST and changes nothing.
        if request.method == "GET" or request.path.endswith("/health"):
            return await self._answer(request)
        came = time.time()
        response = await self._answer(request)
        write(
            came=came,
            id=request.path.lower().rstrip("/"),
            method=request.method,
            by=request.headers.get(LABEL, ""),
            status=response.status,
        )
        return response


if __name__ == "__main__":
    setattr(server, "Sandbox", LoggedSandbox)  # noqa: B010 - a module's name, which has a type.
    sys.exit(run(["sandbox", *sys.argv[2:]]))
