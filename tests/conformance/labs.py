"""The lab on a served sandbox, by plstui's engine and by the script that plstui prints for az."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plstui.compose import Composer, Options
from plstui.domain.errors import Retrying
from plstui.engine.gate import unasked
from plstui.engine.runtime import Runtime
from plstui.lab import scripts
from plstui.lab.inventory import take_stock
from plstui.lab.lab import Lab
from plstui.lab.runner import Run
from plstui.lab.session import approve, lab_of
from plstui.lab.steps import Choices
from tests.conformance.az import Az
from tests.support.served import Served

SIZE = "Standard_B2s"
PASSWORD = "Tradewinds-314159"
"""The administrator's, where the test machine runs Windows."""


@dataclass(frozen=True)
class Session:
    """plstui attached to a served sandbox, with settings of the lab."""

    runtime: Runtime
    lab: Lab

    async def plan(self) -> Run:
        """A run that has looked and done nothing."""
        return Run(self.lab, await self.lab.survey(), lambda _: None, self._approve)

    async def _approve(self, _: Retrying) -> None:
        await approve(self.runtime, self.lab.workshop, unasked)


@asynccontextmanager
async def session(served: Served, key: Path, settings: Mapping[str, Any]) -> AsyncIterator[Session]:
    """A plstui for as long as the block runs; `key` is the public key's file."""
    override = {"lab": {"public_key": str(key), **settings}}
    public_key = await asyncio.to_thread(key.read_text)
    runtime = await Composer(Options(config=served.config, override=override)).connect()
    try:
        choices = Choices(region="westeurope", size=SIZE, public_key=public_key.strip(), run="r1", password=PASSWORD)
        yield Session(runtime, lab_of(runtime, choices))
    finally:
        await runtime.close()


async def script_of(served: Served, key: Path, settings: Mapping[str, Any]) -> str:
    """The script for what is to be done on a sandbox."""
    async with session(served, key, settings) as plstui:
        run = await plstui.plan()
        return scripts.script(plstui.lab.workshop, run.statuses())


async def teardown_of(served: Served, key: Path) -> str:
    """The script that takes the lab down."""
    async with session(served, key, {}) as plstui:
        return scripts.teardown(plstui.lab.workshop, await take_stock(plstui.lab))


async def build(served: Served, key: Path, settings: Mapping[str, Any], only: str = "") -> None:
    """Build the lab, or a step of it, with the engine."""
    async with session(served, key, settings) as plstui:
        run, made = await plstui.plan(), plstui.lab.workshop
        await run.up([made.step(only)] if only else made.steps)


def run_script(served: Served, program: str, script: str, patience: float) -> str:
    """Run a script with the real az, which must succeed; gives what it printed. `patience` is in seconds."""
    done = subprocess.run(
        ["bash", "-s"],
        input=script,
        env=environment(served, program),
        capture_output=True,
        text=True,
        timeout=patience,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def environment(served: Served, program: str) -> dict[str, str]:
    """The variables with which a script finds az, and az the sandbox."""
    environ = Az.of(served, program).environ
    return {**environ, "PATH": f"{Path(program).parent}:{environ['PATH']}"}


# Two sandboxes side by side

MADE_UP = {
    "etag": "changes with every write",
    "resourceGuid": "a guid",
    "internalId": "a guid, in base64",
    "linkIdentifier": "a number that Azure draws",
    "macAddress": "a number that Azure draws",
}
"""What Azure makes up for each resource, by its key, and why it can never be the same twice."""

TRACES = {
    "Microsoft.Resources/deployments": "az sends machines and balancers as templates, and Azure keeps what it was sent",
}
"""Resources that only tell how the others were made, and why they are there."""

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)")


def resources(served: Served) -> dict[str, str]:
    """Every value of every resource by its path, as far as it can be the same on two sandboxes."""
    subscriptions = served.ready["subscriptions"]
    names = {guid: f"({side})" for side, guid in subscriptions.items()}
    found = [one for one in served.control("GET", "/state")["resources"] if one["type"] not in TRACES]
    # Addresses are given out in the order in which they are asked for; what matters is whose address stands where.
    names |= {address: f"(address of {owner})" for one in found for address, owner in _addresses(one)}
    return {path: value for one in found for path, value in _values(one, one["id"].lower(), names)}


def _addresses(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The addresses that Azure has chosen for a resource, and a name for each."""
    properties = resource["properties"]
    for kind in ("ipConfigurations", "frontendIPConfigurations"):
        for item in properties.get(kind, []):
            chosen = item["properties"].get("privateIPAllocationMethod") == "Dynamic"
            # A private link service does not show its own; its interface does.
            if chosen and "privateIPAddress" in item["properties"]:
                yield item["properties"]["privateIPAddress"], f"{resource['name']}/{item['name']}"
    if address := properties.get("ipAddress"):
        yield address, resource["name"]


def _values(value: Any, path: str, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            # Tags that are empty are none.
            if key not in MADE_UP and not (key == "tags" and not item):
                yield from _values(item, f"{path}.{key}", names)
    elif isinstance(value, list):
        yield _plain(path, names), f"{len(value)} items"
        for label, item in zip(_labels(value, names), value, strict=True):
            yield from _values(item, f"{path}[{label}]", names)
    else:
        yield _plain(path, names), _plain(repr(value), names)


def _labels(items: list[Any], names: Mapping[str, str]) -> Iterator[str]:
    """What an item of a list is known by: things by their name or id, since they come in order of arrival."""
    for number, item in enumerate(items):
        known = item.get("name") or item.get("id") if isinstance(item, Mapping) else None
        yield _plain(str(known).lower(), names) if known else str(number)


def _plain(text: str, names: Mapping[str, str]) -> str:
    for word, name in names.items():
        text = re.sub(rf"(?<![\w.]){re.escape(word)}(?![\w.])", name, text)
    return _TIME.sub("(time)", _GUID.sub("(guid)", text))


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> list[str]:
    """What is not alike, a line each."""
    nothing = "nothing"
    return [
        f"{path}: {one.get(path, nothing)} / {other.get(path, nothing)}"
        for path in sorted({*one, *other})
        if one.get(path) != other.get(path)
    ]
