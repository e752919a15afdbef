"""Requests that nobody in their right mind sends, many of them close to ones that work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

METHODS = ("GET", "GET", "PUT", "PUT", "PUT", "PATCH", "DELETE", "POST", "HEAD", "OPTIONS", "TRACE", "PROPFIND", "")
API_VERSIONS = ("2024-05-01", "2024-05-01", "2024-07-01", "2024-06-01", "2022-09-01", "2020-05-01", "2015-06-15")
ODD_VERSIONS = ("", "2099-01-01", "latest", "2024-05-01-preview", "'", "\x00", "9" * 5000)
ACTIONS = (
    *("runCommand", "start", "powerOff", "deallocate", "restart", "instanceView", "health", "validate"),
    *("exportTemplate", "checkPrivateLinkServiceVisibility", "autoApprovedPrivateLinkServices", "operations"),
    *("usages", "register", "effectiveNetworkSecurityGroups", "loadBalancers", "networkInterfaces"),
    *("generateKeyPair", "moveResources"),
)
COLLECTIONS = (
    *("virtualNetworks", "subnets", "networkInterfaces", "loadBalancers", "probes", "privateLinkServices"),
    *("privateEndpointConnections", "privateEndpoints", "privateDnsZones", "dnsZones", "A", "virtualNetworkLinks"),
    *("ipConfigurations", "virtualMachines", "runCommands", "disks", "extensions", "deployments"),
    *("securityRules", "resources", "locations"),
)
QUERIES = {
    "$filter": ("resourceType eq 'Microsoft.Network/virtualNetworks'", "name eq 'a' and", "'", "((", "tagName eq 'a'"),
    "$top": ("1", "-1", "x", "9" * 400),
    "$expand": ("instanceView", "a,b", "\x00"),
    "$skiptoken": ("", "x", "AAAA"),
    "statusonly": ("true", "x"),
}
TEXTS = (
    *(
        "",
        "\x00",
        "..",
        "%2e%2e",
        "é",
        "\u202e",
        "\U0001f535",
        "null",
        "*",
        "/",
        "a/b",
        "'",
        '"',
        "<x>",
        "{}",
        "[",
        "[]",
    ),
    *("[reference('x')]", "[parameters('x')]", "10.0.0.0/33", "10.0.1.4", "::1", "-1", "1e999", "true", "Approved"),
    *("Static", "Dynamic", "Inbound", "Tcp", "Standard", "westeurope", "x" * 300, "x" * 20_000),
)
NUMBERS = (0, 1, -1, 80, 65536, 2**31, 2**63, 10**400, 1.5, -0.0)
RAW = (
    *(b"", b"{", b"[" * 5000, b"nul", b'{"a":1}{', b"\xff\xfe{}", b'"\\ud800"', b'{"properties":NaN}', b"1e400"),
    *(b'{"properties":{"a":"\\u0000"}}', b'{"location":"x","location":{}}', b"<?xml version='1.0'?><a/>", b"a=b&c=d"),
    *(b" " * 100_000, b'{"tags":{"a":"' + b"x" * 500_000 + b'"}}', b"9" * 10_000, b"// nothing", b"\x00" * 64),
)


@dataclass(frozen=True, repr=False)
class Sent:
    """One request and by whose token it is sent: `isv`, `customer`, `reader`, or nobody's."""

    who: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes

    def __repr__(self) -> str:
        content = self.content[:600] + b" ..." * (len(self.content) > 600)
        query, headers = f"{dict(self.query)}"[:200], f"{dict(self.headers)}"[:200]
        return f"<{self.who} {self.method} {self.path[:400]!r} {query} {headers} {content!r}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How hypothesis shows it; left alone, it would write half a megabyte."""
        printer.text(repr(self))

    @property
    def text(self) -> str:
        """All that its sender can be said to know."""
        headers = " ".join(self.headers.values())
        return f"{self.path} {dict(self.query)} {headers} {self.content.decode('utf-8', 'replace')}".lower()


@dataclass(frozen=True)
class Target:
    """What requests are aimed at: something that is there, and a body that can be put there."""

    owner: str
    path: str
    body: Any


def requests(targets: list[Target]) -> st.SearchStrategy[Sent]:
    """Requests aimed at `targets` and beside them."""
    return _requests(targets, [target.path for target in targets])


@st.composite
def _requests(draw: st.DrawFn, targets: list[Target], ids: list[str]) -> Sent:
    target = draw(st.sampled_from(targets))
    sharp = draw(st.integers(0, 9))
    who = target.owner if sharp < 7 else draw(st.sampled_from(["isv", "customer", "reader", "", "forged"]))
    path = target.path if sharp < 6 else draw(_paths(target.path))
    query = {"api-version": draw(st.sampled_from(API_VERSIONS))}
    headers: dict[str, str] = {}
    if draw(st.integers(0, 9)) == 0:
        query["api-version"] = draw(st.sampled_from(ODD_VERSIONS))
    if draw(st.integers(0, 9)) == 0:
        name = draw(st.sampled_from(sorted(QUERIES)))
        query[name] = draw(st.sampled_from(QUERIES[name]))
    if draw(st.integers(0, 9)) == 0:
        name = draw(st.sampled_from(["if-match", "if-none-match", "accept", "content-type", "x-ms-client-request-id"]))
        headers[name] = draw(st.sampled_from(["*", "", "x" * 5000, 'W/"1"', "\x7f", "text/plain"]))
    method = draw(st.sampled_from(METHODS))
    content = b"" if method in ("GET", "DELETE", "HEAD") else draw(_contents(target.body, ids))
    return Sent(who, method, path, query, headers, content)


@st.composite
def _paths(draw: st.DrawFn, path: str) -> str:
    """A path beside one that leads somewhere."""
    segments = path.strip("/").split("/")
    match draw(st.integers(0, 6)):
        case 0:
            return f"{path}/{draw(st.sampled_from(ACTIONS))}"
        case 1:
            return "/" + "/".join(segments[: draw(st.integers(0, len(segments)))])
        case 2:
            return f"{path}/{draw(st.sampled_from(COLLECTIONS))}"
        case 3:
            at = draw(st.integers(0, len(segments) - 1))
            segments[at] = draw(st.sampled_from(TEXTS + COLLECTIONS))
            return "/" + "/".join(segments)
        case 4:
            return draw(st.sampled_from([path.upper(), path.lower(), path.replace("/", "//"), f"{path}/", f"{path}2"]))
        case 5:
            return re_grouped(path, draw(st.sampled_from(["", "nowhere", "x" * 300, "privatelink-pls-microhack-rg"])))
        case _:
            return "/" + draw(st.text(max_size=30))


def re_grouped(path: str, group: str) -> str:
    """The same path in another resource group."""
    head, mark, rest = path.partition("/resourceGroups/")
    return f"{head}{mark}{group}/{rest.partition('/')[2]}" if mark else path


@st.composite
def _contents(draw: st.DrawFn, good: Any, ids: list[str]) -> bytes:
    """A body that works with up to three things in it changed; now and then anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(RAW))
    body = deepcopy(good)
    for _ in range(draw(st.integers(0, 3))):
        places = _places(body)
        if not places:
            break
        container, key = draw(st.sampled_from(places))
        if draw(st.booleans()):
            container[key] = draw(_values(ids))
        elif isinstance(container, dict):
            del container[key]
        else:
            container.append(container[key])
    return json.dumps(body).encode()


def _values(ids: list[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.sampled_from(ids),
        st.sampled_from(TEXTS),
        st.sampled_from(NUMBERS),
        st.sampled_from([None, True, False]),
        st.builds(lambda path: {"id": path}, st.sampled_from(ids)),
    )
    return (
        leaves
        | st.lists(leaves, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "name", "x"]), leaves, max_size=2)
    )


def _places(body: Any) -> list[tuple[Any, Any]]:
    """Every container in a body with each of its keys."""
    found, stack = [], [body]
    while stack:
        node = stack.pop()
        items = (
            list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
        )
        for key, inner in items:
            found.append((node, key))
            stack.append(inner)
    return found
