"""A served sandbox as its clients meet it: requests on the wire, of which none is sent again, and OpenSSH."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
from typing import Any
from urllib.parse import urlsplit

from tests.support.served import PATIENCE, Served

GROUP = "/resourceGroups/privatelink-pls-microhack-rg"
SERVICE = f"{GROUP}/providers/Microsoft.Network/privateLinkServices/saasPrivateLinkService"
GROUPS = "/resourcegroups"
CUT = (http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLError)
"""What a connection that is cut looks like, depending on how far it got."""


def call(sandbox: Served, method: str, path: str, body: Any = None, side: str = "isv") -> tuple[int, Any, Any]:
    """Status, headers and body of one request to a side's subscription."""
    target = f"/subscriptions/{sandbox.ready['subscriptions'][side]}{path}?api-version=2024-05-01"
    return send(sandbox, method, target, body, side)


def send(sandbox: Served, method: str, target: str, body: Any = None, side: str = "isv") -> tuple[int, Any, Any]:
    """The same for a whole path and query."""
    context = ssl.create_default_context(cafile=sandbox.ready["ca"])
    connection = http.client.HTTPSConnection(urlsplit(sandbox.ready["arm"]).netloc, context=context, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {sandbox.token(side)}", "Content-Type": "application/json"}
    try:
        connection.request(method, target, body=None if body is None else json.dumps(body), headers=headers)
        response = connection.getresponse()
        text = response.read().decode()
    finally:
        connection.close()
    is_json = response.headers.get_content_type() == "application/json"
    return response.status, response.headers, json.loads(text) if text and is_json else text


def end_of(sandbox: Served, headers: Any) -> Any:
    """What the poll of an operation answers."""
    poll = urlsplit(headers["Azure-AsyncOperation"])
    return send(sandbox, "GET", f"{poll.path}?{poll.query}")[2]


def openssh(sandbox: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run OpenSSH as a person does: with the configuration that the sandbox wrote, which is strict about host keys."""
    return subprocess.run(
        ["ssh", "-F", str(sandbox.directory / "ssh_config"), *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
