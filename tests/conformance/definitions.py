"""The published REST definitions (Swagger 2.0): does an answer have the form that they promise?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

ROOT = "https://definitions.invalid/"
"""Where the documents are said to be; nothing is fetched from there."""


class Definitions:
    """Every definition in a folder."""

    def __init__(self, folder: Path) -> None:
        paths = {
            path.relative_to(folder).as_posix(): path for path in folder.rglob("*.json") if "examples" not in str(path)
        }
        self._documents = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}
        for name, document in self._documents.items():
            _settle_references(document, name, self._documents)
        self._registry: Registry[Any] = Registry().with_resources(
            (ROOT + name, Resource.from_contents(document, default_specification=DRAFT4))
            for name, document in self._documents.items()
        )

    @cached_property
    def _operations(self) -> list[tuple[str, re.Pattern[str], str]]:
        """`(method, pattern of the path, JSON pointer of the responses)`; the most literal paths first."""
        found = []
        for name, document in self._documents.items():
            for template, methods in document.get("paths", {}).items():
                for method in methods if "{resourceProviderNamespace}" not in template else ():
                    pointer = f"{ROOT}{name}#/paths/{_escape(template)}/{method}/responses"
                    found.append((template.count("{"), method.upper(), _pattern(template), pointer))
        return [(method, pattern, pointer) for _, method, pattern, pointer in sorted(found, key=lambda row: row[0])]

    def knows(self, method: str, path: str) -> bool:
        """Whether there is a definition of this call."""
        return self._find(method, path) is not None

    def _find(self, method: str, path: str) -> str | None:
        return next((at for verb, pattern, at in self._operations if verb == method and pattern.fullmatch(path)), None)

    def faults(self, method: str, path: str, status: int, body: Any) -> Iterator[str]:
        """What is wrong with an answer, each as a line; nothing where no definition exists."""
        pointer = self._find(method, path)
        if pointer is None:
            return
        responses = self._at(pointer)
        word = str(status)
        if word not in responses:
            if status < 400 or "default" not in responses:
                yield f"status {status} is not one of {', '.join(responses)}"
                return
            word = "default"
        if "schema" not in responses[word] or body is None:
            return
        validator = Draft4Validator({"$ref": f"{pointer}/{word}/schema"}, registry=self._registry)
        for error in validator.iter_errors(body):
            yield f"{error.json_path}: {error.message[:200]}"

    def strangers(self, method: str, path: str, status: int, body: Any) -> set[str]:
        """The properties of a successful answer that its definition does not have, as `a.b.c`."""
        pointer = self._find(method, path)
        response = self._at(pointer).get(str(status), {}) if pointer else {}
        return set(self._beyond(response.get("schema", {}), body, ""))

    def _at(self, pointer: str) -> Any:
        """What an absolute reference leads to."""
        document, _, inner = pointer.partition("#")
        node: Any = self._documents[document.removeprefix(ROOT)]
        for part in inner.strip("/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def _beyond(self, schema: dict[str, Any], body: Any, where: str) -> Iterator[str]:
        parts = list(self._parts(schema))
        if isinstance(body, list):
            for items in (part["items"] for part in parts if "items" in part):
                for item in body:
                    yield from self._beyond(items, item, where)
        if not isinstance(body, dict) or any(not part or "additionalProperties" in part for part in parts):
            return
        named = {name: value for part in parts for name, value in part.get("properties", {}).items()}
        for name, value in body.items() if named else ():
            path = f"{where}.{name}".lstrip(".")
            if name in named:
                yield from self._beyond(named[name], value, path)
            else:
                yield path

    def _parts(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A schema, what it refers to and what it extends."""
        if "$ref" in schema:
            schema = self._at(schema["$ref"])
        yield schema
        for part in schema.get("allOf", ()):
            yield from self._parts(part)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\})", template.strip("/"))
    text = "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile(f"/{text}/?", re.IGNORECASE)


def _escape(text: str) -> str:
    return text.replace("~", "~0").replace("/", "~1")


def _settle_references(document: Any, name: str, known: dict[str, Any]) -> None:
    """Make references absolute; what leads to a document that is not here accepts everything."""
    folder = name.rpartition("/")[0]
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
            continue
        if not isinstance(node, dict):
            continue
        if isinstance(target := node.get("$ref"), str):
            file, _, pointer = target.partition("#")
            wanted = f"{folder}/{file.removeprefix('./')}".strip("/") if file else name
            node.clear()
            if wanted in known:
                node["$ref"] = f"{ROOT}{wanted}#{pointer}"
            continue
        _loosen(node)
        stack.extend(node.values())


def _loosen(schema: dict[str, Any]) -> None:
    """Words of an enumeration come in any case."""
    words = schema.get("enum")
    if isinstance(words, list) and all(isinstance(word, str) for word in words):
        schema["pattern"] = f"^(?i:{'|'.join(re.escape(word) for word in schema.pop('enum'))})$"
