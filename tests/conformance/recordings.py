"""Recorded traffic of the real Azure: exchanges with placeholders for whatever differs from run to run.

A recording is one JSON object a line. Placeholders are `{sub}` (the subscription), `{rg1}` (a group; `{RG1}` in
upper case), `{g1}` (a guid) and `{op1}` (an operation's id). A guid is bound to the sandbox's
own value where it first appears, and so is the name that Azure gave to a disk.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EVIDENCE = Path(os.environ.get("PLSTUI_ARM_EVIDENCE") or Path(__file__).parents[2].parent / "shared" / "arm-evidence")
"""The folder with the recordings and the definitions; it is not a part of the project."""

_PLACEHOLDER = re.compile(r"\{(?:sub\d*|rg\d+|RG\d+|g\d+|op\d+)\}")
DISK = re.compile(r"[\w.-]+_(?:os)?disk_?\d+_[0-9a-f]{32}", re.IGNORECASE)
"""The name of a disk that nobody named: Azure has two ways to make it, for the same request at the same time."""

_MONIKER = re.compile(r"[A-Za-z][\w.-]*0000\d\d[A-Za-z]*")

_POLL = re.compile(r"/(operations|operationresults|operationstatuses|privatednsoperation\w+)/", re.IGNORECASE)


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    seq: int
    method: str
    path: str
    query: str
    api_version: str
    kind: str
    """The resource type, with a mark behind it for lists and actions."""
    content: Any
    conditions: dict[str, str]
    """If-Match and If-None-Match of the request."""
    status: int
    headers: dict[str, str]
    body: Any
    date: str = ""
    """The day of the answer as `YYYY-MM-DD`; empty where it was not kept."""

    @property
    def is_poll(self) -> bool:
        """Whether this asks for the state of a long-running operation: the replay does that by itself."""
        return bool(_POLL.search(self.path))

    @property
    def polled(self) -> frozenset[str]:
        """The paths at which the operation that this exchange begins can be asked for."""
        urls = (self.headers.get(name) for name in ("azure-asyncoperation", "location"))
        return frozenset(urlsplit(url).path for url in urls if url)

    @property
    def is_over_groups(self) -> bool:
        """Whether this lists what is in the whole subscription, and so what others had there."""
        return "[list" in self.kind and self.group is None

    @property
    def group(self) -> str | None:
        """The placeholder of the group that the path is in, or leads to; None outside of groups."""
        match = re.search(r"/resourcegroups/(\{rg\d+\})(/|$)", self.path, re.IGNORECASE)
        return match[1] if match else None

    @property
    def finds_no_group(self) -> bool:
        """Whether the answer is that there is no such group."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        return self.status == 404 and (error is None or error.get("code") == "ResourceGroupNotFound")

    @property
    def waits_for_another(self) -> bool:
        """Whether this was refused because a resource that it refers to was not ready."""
        error = self.body.get("error") if isinstance(self.body, dict) else None
        codes = [detail.get("code") for detail in (error or {}).get("details") or ()]
        return self.status == 429 and "ReferencedResourceNotProvisioned" in codes


def load(path: Path) -> list[Exchange]:
    """Every exchange of a recording, in order."""
    text = _with_monikers(path.read_text(encoding="utf-8"))
    return [_exchange(json.loads(line)) for line in text.splitlines() if line.strip()]


def _with_monikers(text: str) -> str:
    """A recording with `000002` and the like also in what Azure writes in capitals.

    azure-cli's recorder puts such numbers in place of the random ends of names, but misses shouted ones.
    """
    for name in sorted({found.upper() for found in _MONIKER.findall(text)}, key=len, reverse=True):
        before, number, after = re.split(r"(0000\d\d)", name, maxsplit=1)
        text = re.sub(
            rf"(?<=/){re.escape(before)}(?!0000)[A-Z0-9]{{3,}}{re.escape(after)}(?=[/\"'])",
            before + number + after,
            text,
        )
    return text


def _exchange(record: dict[str, Any]) -> Exchange:
    return Exchange(
        seq=record["seq"],
        method=record["method"],
        path=_deployment_by_its_name(record["path"], record.get("body")),
        query=record.get("query") or "",
        api_version=record["api_version"],
        kind=record["rtype"],
        content=record.get("request_body"),
        conditions=record.get("if") or {},
        status=record["status"],
        headers={name.lower(): value for name, value in record["headers"].items()},
        body=record.get("body"),
        date=f"{parsedate_to_datetime(record['date']):%Y-%m-%d}" if record.get("date") else "",
    )


def _deployment_by_its_name(path: str, body: Any) -> str:
    """A path with the name that the answer shows: in paths, azure-cli's recorder gives all deployments one name."""
    before, mark, name = path.partition("/providers/Microsoft.Resources/deployments/")
    if not mark or "/" in name or not isinstance(body, dict):
        return path
    return before + mark + str(body.get("name", name))


def files() -> list[Path]:
    """The recordings there are."""
    return sorted((EVIDENCE / "recordings").glob("*.jsonl"))


@dataclass
class Bindings:
    """What each placeholder stands for in this run."""

    values: dict[str, str]
    _open: set[str] = field(default_factory=set)

    @classmethod
    def start(cls, exchanges: list[Exchange], subscription: str, prefix: str) -> Bindings:
        """Bind the subscription, and every group to a name of its own."""
        values = {"{sub}": subscription}
        for exchange in exchanges:
            for name in re.findall(r"\{rg\d+\}", repr(exchange)):
                values[name] = f"{prefix}-{name.strip('{}')}"
                values[name.upper()] = values[name].upper()
        requested = {name for exchange in exchanges for name in re.findall(r"\{rg\d+\}", exchange.path)}
        for name in _shouted(exchanges) - requested if len(requested) == 1 else ():
            values[name] = values[next(iter(requested))].upper()
        return cls(values)

    def fill(self, text: str) -> str:
        """A text with every placeholder and every name that is bound replaced."""
        filled = _PLACEHOLDER.sub(lambda match: self.values.get(match[0], match[0]), text)
        return DISK.sub(lambda match: self.values.get(match[0].lower(), match[0]), filled)

    def fill_all(self, value: Any) -> Any:
        """The same for every text inside a JSON value."""
        return json.loads(self.fill(json.dumps(value)))

    def learn(self, recorded: Any, answered: Any) -> None:
        """Bind the guids and disks of a recorded answer to those that stand at the same places of ours."""
        for template, text in _pairs(recorded, answered):
            if "{g" in template:
                self._match(self.fill(template), text)
            theirs, ours = DISK.search(template), DISK.search(text)
            if theirs and ours:
                self.values.setdefault(theirs[0].lower(), ours[0])

    def _match(self, template: str, text: str) -> None:
        names: list[str] = []
        pattern = ""
        for part in re.split(r"(\{g\d+\})", template):
            if not re.fullmatch(r"\{g\d+\}", part):
                pattern += re.escape(part)
            elif part in names:
                pattern += f"(?P={part.strip('{}')})"
            else:
                names.append(part)
                pattern += f"(?P<{part.strip('{}')}>[0-9a-fA-F-]{{36}})"
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        for name in names if match else ():
            assert match is not None
            self.values.setdefault(name, match[name.strip("{}")])


def _shouted(exchanges: list[Exchange]) -> set[str]:
    """The groups with upper-cased resources only.

    Azure upper-cases some references as a whole, and the recorder took the group's name in upper case for one more
    group.
    """
    names: dict[str, list[str]] = {}
    for exchange in exchanges:
        for group, name in re.findall(r"/(\{rg\d+\})/providers/[\w.]+/\w+/([^/'\"]+)", repr(exchange.body)):
            names.setdefault(group, []).append(name)
    return {group for group, seen in names.items() if all(name == name.upper() for name in seen)}


def _pairs(recorded: Any, answered: Any) -> Iterator[tuple[str, str]]:
    """The texts that stand at the same places."""
    if isinstance(recorded, dict) and isinstance(answered, dict):
        for name in recorded.keys() & answered.keys():
            yield from _pairs(recorded[name], answered[name])
    elif isinstance(recorded, list) and isinstance(answered, list):
        for one, other in zip(recorded, answered, strict=False):
            yield from _pairs(one, other)
    elif isinstance(recorded, str) and isinstance(answered, str):
        yield recorded, answered
