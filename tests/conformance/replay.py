"""Send a recording's requests to a served sandbox, follow its own operations, and compare every answer."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tests.conformance.compare import differences
from tests.conformance.definitions import Definitions
from tests.conformance.recordings import Bindings, Exchange
from tests.conformance.versions import version_for

LOCATION = "centralus"
MOST_POLLS = 100

SUPPORTED = re.compile(
    r"^(resourceGroups|resources$|Microsoft\.Resources/deployments"
    r"|Microsoft\.Network/(virtualNetworks|loadBalancers|networkInterfaces|privateLinkServices|privateEndpoints"
    r"|networkSecurityGroups|applicationSecurityGroups|publicIPAddresses|natGateways|privateDnsZones)"
    r"|Microsoft\.Compute/(virtualMachines|locations/publishers|disks|sshPublicKeys))",
    re.IGNORECASE,
)
"""The types of the sandbox; what a recording does with others (a storage account, say) is left out."""


@dataclass(frozen=True)
class Answer:
    """One answer of the sandbox."""

    status: int
    headers: dict[str, str]
    body: Any


class Client:
    """One HTTPS connection to a served sandbox, as the owner of a subscription."""

    def __init__(self, arm: str, context: ssl.SSLContext, token: str) -> None:
        self._connection = http.client.HTTPSConnection(urlsplit(arm).netloc, context=context, timeout=30)
        self._token = token

    def call(self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        """Send one request; `target` is path and query."""
        content = None if body is None else json.dumps(body)
        sent = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json", **(headers or {})}
        self._connection.request(method, target, body=content, headers=sent)
        response = self._connection.getresponse()
        text = response.read().decode()
        parsed = json.loads(text) if text else None
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, parsed)

    def follow(self, answer: Answer) -> str:
        """Poll an operation to its end by the addresses of its answer; returns its last status, empty without any."""
        async_url, location = answer.headers.get("azure-asyncoperation"), answer.headers.get("location")
        url = async_url or location
        if url is None:
            return ""
        parts = urlsplit(url)
        for _ in range(MOST_POLLS):
            poll = self.call("GET", f"{parts.path}?{parts.query}")
            if poll.status >= 400:
                return f"HTTP {poll.status}"
            if async_url:
                status = str((poll.body or {}).get("status"))
                if status in ("Succeeded", "Failed", "Canceled"):
                    return status
            elif poll.status != 202:
                return "Succeeded"
        return "never ended"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def replay(
    exchanges: list[Exchange],
    client: Client,
    bindings: Bindings,
    api_versions: dict[str, str],
    definitions: Definitions,
) -> Iterator[tuple[Exchange, str]]:
    """Every difference, and every fault against the definitions, with the exchange in which it shows.

    The replay waits for the end of each operation. What was refused because one was under way is left out.
    `api_versions` replaces the recorded api-version where a type begins so, in lower case; the first that fits.
    """
    told = [e for e in exchanges if SUPPORTED.match(e.kind) and not e.is_poll and "skiptoken" not in e.query]
    told = [exchange for exchange in told if not came_too_early(exchange, exchanges)]
    used = dict.fromkeys(exchange.group for exchange in told if exchange.group)
    for group in used:
        _ensure_group(client, exchanges, bindings, group)
    for exchange in found_at_the_start(told):
        client.follow(_send(client, exchange, bindings, api_versions))
    for exchange in told:
        answer = _send(client, exchange, bindings, api_versions)
        then, now = exchange.body, answer.body
        if exchange.is_over_groups:
            then, now = (_within(body, groups) for body, groups in ((then, used), (now, map(bindings.fill, used))))
        bindings.learn(then, now)
        recorded = (exchange.status, exchange.headers, bindings.fill_all(then))
        for difference in differences(recorded, (answer.status, answer.headers, now)):
            yield exchange, difference
        for fault in definitions.faults(exchange.method, bindings.fill(exchange.path), answer.status, answer.body):
            yield exchange, f"definition {fault}"
        if exchange.method != "GET" and answer.status < 300:
            end = client.follow(answer)
            if end not in ("", recorded_end(exchange, exchanges)):
                yield exchange, f"operation ended {end}"


def came_too_early(exchange: Exchange, exchanges: list[Exchange]) -> bool:
    """Whether a request was to be tried again later: refused between the start of an operation and a poll of it.

    Or because of what it refers to: several clients wrote at once, and whoever made that may not have polled.
    """
    if exchange.status not in (409, 429):
        return False
    if exchange.waits_for_another:
        return True
    begun = frozenset(path for earlier in exchanges if earlier.seq < exchange.seq for path in earlier.polled)
    return any(later.is_poll and later.path in begun for later in exchanges if later.seq > exchange.seq)


def found_at_the_start(exchanges: list[Exchange]) -> list[Exchange]:
    """The PUTs that make what a recording found: what is there at its first mention is not made by the recording."""
    first: dict[str, Exchange] = {}
    for exchange in exchanges:
        first.setdefault(exchange.path.lower(), exchange)
    there = {path for path, exchange in first.items() if exchange.method in ("GET", "PUT") and exchange.status == 200}
    making: dict[str, Exchange] = {}
    for exchange in exchanges:
        if exchange.method == "PUT" and exchange.path.lower() in there:
            making.setdefault(exchange.path.lower(), exchange)
    return list(making.values())


def recorded_end(exchange: Exchange, exchanges: list[Exchange]) -> str:
    """How the operation of an exchange ended when it was recorded; well, unless its polls say otherwise."""
    polls = [e.body for e in exchanges if e.is_poll and e.path in exchange.polled and isinstance(e.body, dict)]
    return next((body["status"] for body in polls if body.get("status") in ("Failed", "Canceled")), "Succeeded")


def _within(body: Any, groups: Iterable[str]) -> Any:
    """A list over a subscription without what is in other groups than these."""
    ends = tuple(f"/resourcegroups/{group}/".lower() for group in groups)
    mine = [item for item in body["value"] if any(end in f"{item['id']}/".lower() for end in ends)]
    return {**body, "value": mine}


def _ensure_group(client: Client, exchanges: list[Exchange], bindings: Bindings, group: str) -> None:
    """Make a group that a recording uses, unless the recording makes it itself: mostly they begin after that."""
    first = next(exchange for exchange in exchanges if exchange.group == group)
    if first.finds_no_group or (first.method, first.kind, first.status) == ("PUT", "resourceGroups", 201):
        return
    own = (e.body for e in exchanges if e.group == group and e.kind == "resourceGroups" and isinstance(e.body, dict))
    seen = next((body for body in own if "location" in body), {})
    target = f"/subscriptions/{bindings.values['{sub}']}/resourcegroups/{bindings.fill(group)}?api-version=2021-04-01"
    client.call("PUT", target, {"location": seen.get("location", LOCATION), "tags": seen.get("tags", {})})


def _send(client: Client, exchange: Exchange, bindings: Bindings, api_versions: dict[str, str]) -> Answer:
    query = f"api-version={version_for(exchange.kind, api_versions, exchange.api_version)}"
    if exchange.query:
        query += "&" + quote(bindings.fill(exchange.query), safe="=&$/:@!'()*,;")
    target = f"{quote(bindings.fill(exchange.path), safe='/:@$')}?{query}"
    content = None if exchange.content is None else bindings.fill_all(exchange.content)
    return client.call(exchange.method, target, content, bindings.fill_all(exchange.conditions))
