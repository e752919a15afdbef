"""That nothing but the gate can write: who reads has no such methods, and nobody else is handed a writer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from inspect import getmembers, isfunction
from pathlib import Path

import plstui
from plstui.arm.bodies import Bodies
from plstui.arm.reader import Reader
from plstui.arm.writer import Writer
from plstui.engine.ports import CloudBodies, CloudReader, CloudWriter

PACKAGE = Path(plstui.__file__).parent
WRITES = frozenset(name for name, _ in getmembers(CloudWriter, isfunction) if not name.startswith("_"))
"""With one that writes nothing, and only makes ready for it."""


def public(kind: type) -> set[str]:
    return {name for name, _ in getmembers(kind, isfunction) if not name.startswith("_")}


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every file of plstui but the sandbox, which is written to and does not write."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith("sandbox/"):
            yield place, ast.parse(path.read_text())


def naming(*names: str) -> set[str]:
    """The files in which one of these names is used, as a name, an attribute, an import or an argument."""
    found = set()
    for place, module in sources():
        for node in ast.walk(module):
            used = {getattr(node, "id", None), getattr(node, "attr", None)}
            used |= {getattr(node, "arg", None), getattr(node, "name", None)}
            if used & set(names):
                found.add(place)
    return found


def test_who_reads_cannot_write() -> None:
    assert {"get_ready", "prepare", "put", "delete", "discard", "start", "run_command"} == WRITES
    for kind in (CloudReader, CloudBodies, Reader, Bodies):
        assert not public(kind) & WRITES
    assert public(Writer) == WRITES


def test_a_writer_is_made_by_arm_and_given_to_the_gate_alone() -> None:
    assert naming("CloudWriter", "Ends") == {"engine/ports.py", "engine/gate.py"}
    assert naming("writer") == {"engine/ports.py", "engine/gate.py", "arm/side.py"}
    assert naming("Writer") == {"arm/writer.py", "arm/side.py"}
    assert naming("ArmSide", "open_side") == {"arm/side.py", "compose.py"}


def test_nobody_takes_the_gate_apart() -> None:
    taken = [
        place
        for place, module in sources()
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr == "_sides" and getattr(node.value, "id", "") != "self"
    ]
    assert taken == []


def test_the_sdk_writes_for_the_writer_alone() -> None:
    calls = ("begin_create_or_update_by_id", "begin_delete_by_id", "begin_start", "begin_run_command")
    assert naming(*calls) == {"arm/writer.py"}
    assert naming("update_private_endpoint_connection") == {"arm/decision.py"}


def test_compose_hands_what_was_opened_to_the_gate_and_takes_readers_out_of_it() -> None:
    [compose] = [module for place, module in sources() if place == "compose.py"]
    taken = {
        node.attr
        for node in ast.walk(compose)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "arm"
    }
    assert taken == {"reader", "bodies", "get_ready"}
