"""From a path to what it names. Paths come in any case and with doubled slashes; names are kept as typed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from plstui.domain.ids import ResourceId


@dataclass(frozen=True, slots=True)
class Path:
    """What the segments of a path say."""

    subscription: str = ""
    group: str = ""
    namespace: str = ""
    """Of the (last) provider; empty where no provider is named."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Types and names behind the namespace."""
    tail: str = ""
    """The last segment where it has no name: a collection to list, or an action."""
    rest: tuple[str, ...] = ()
    """Segments that belong to no subscription or provider, as typed."""

    @property
    def type(self) -> str:
        """The full type that `pairs` name, without the tail, as typed."""
        return "/".join((self.namespace, *(kind for kind, _ in self.pairs)))

    @property
    def collection(self) -> str:
        """The full type when the tail is taken for a collection."""
        return f"{self.type}/{self.tail}"


def parse(path: str) -> Path:
    """Take a path apart; anything can be taken apart, what makes no sense ends in `rest`."""
    segments = [segment for segment in path.split("/") if segment]
    low = [segment.lower() for segment in segments]
    subscription = group = namespace = tail = ""
    pairs: list[tuple[str, str]] = []
    at = 0
    if low[:1] == ["subscriptions"] and len(segments) > 1:
        subscription, at = segments[1], 2
        if low[at : at + 1] == ["resourcegroups"] and len(segments) > at + 1:
            group, at = segments[at + 1], at + 2
    if group and low[at : at + 1] == ["deployments"]:
        # One of ARM's oldest addresses names no provider, and the SDK still uses it.
        segments[at:at] = ["providers", "Microsoft.Resources"]
        low[at:at] = ["providers", "microsoft.resources"]
    if low[at : at + 1] == ["providers"] and len(segments) > at + 1:
        namespace, at = segments[at + 1], at + 2
        while at + 1 < len(segments):
            pairs.append((segments[at], segments[at + 1]))
            at += 2
        if at < len(segments):
            tail, at = segments[at], at + 1
    elif subscription and at == len(segments) - 1:
        tail, at = segments[at], at + 1
    return Path(subscription, group, namespace, tuple(pairs), tail, tuple(segments[at:]))


def make_id(path: Path, canonical_type: str) -> ResourceId:
    """The id ARM would give: canonical words for types, names as typed."""
    text = f"/subscriptions/{path.subscription}"
    if path.group:
        text += f"/resourceGroups/{path.group}"
    namespace, *kinds = canonical_type.split("/")
    text += f"/providers/{namespace}"
    for kind, (_, name) in zip(kinds, path.pairs, strict=True):
        text += f"/{kind}/{name}"
    return ResourceId(text)


def address(base_url: str, path: str, query: str) -> str:
    """An absolute address of this Azure, for headers."""
    return f"{base_url}{quote(path, safe='/:@$')}?{query}"


_NAME = re.compile(r"^[^<>%&:\\?/#\x00-\x1f\x7f]{1,260}$")


def is_name(name: str) -> bool:
    """Whether ARM would take this as a resource's name at all; types have stricter rules of their own."""
    return bool(_NAME.match(name)) and not name.endswith((" ", "."))
