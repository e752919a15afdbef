"""The functions of templates that need nothing but their arguments."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid5

from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import read
from plstui.sandbox.providers.resources.deployments.expressions import (
    LONGEST_TEXT,
    Evaluator,
    Function,
    Node,
    invalid_template,
)

_DNS = UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")
"""The name space in which templates make their GUIDs."""
MOST_DELIMITERS = 20
"""Each is looked for at every place of a text."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def _eager(name: str, least: int, most: int, do: Callable[..., Any]) -> Function:
    """A function that gets its arguments worked out; a wrong number or kind of them is the template's fault."""

    def call(evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        if not least <= len(arguments) <= most:
            raise invalid_template(f"Unable to evaluate template language function '{name}': wrong number of arguments")
        values = [evaluator.node(argument) for argument in arguments]
        try:
            return do(*values)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError):
            raise invalid_template(
                f"Unable to evaluate template language function '{name}': the arguments do not fit"
            ) from None

    return call


def _if(evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
    """Only the branch that is taken is worked out."""
    if len(arguments) != 3:
        raise invalid_template("Unable to evaluate template language function 'if': wrong number of arguments")
    condition = evaluator.node(arguments[0])
    if not isinstance(condition, bool):
        raise invalid_template("Unable to evaluate template language function 'if': the arguments do not fit")
    return evaluator.node(arguments[1 if condition else 2])


def _text(value: Any) -> str:
    """A value as `concat`, `format` and `string` write it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value, separators=(",", ":"))


def _strings(*values: Any) -> tuple[str, ...]:
    if not all(isinstance(value, str) for value in values):
        raise TypeError("strings are wanted")
    return values


def _numbers(*values: Any) -> tuple[int, ...]:
    if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        raise TypeError("numbers are wanted")
    return values


def _flags(*values: Any) -> tuple[bool, ...]:
    if not all(isinstance(value, bool) for value in values):
        raise TypeError("booleans are wanted")
    return values


def _concat(*values: Any) -> Any:
    if all(isinstance(value, list) for value in values):
        return [item for value in values for item in value]
    if any(isinstance(value, list | dict) for value in values):
        raise TypeError("strings and arrays do not mix")
    texts = [_text(value) for value in values]
    _bounded(sum(map(len, texts)))
    return "".join(texts)


def _bounded(length: int) -> None:
    """Refuse what would grow beyond all measure before it does."""
    if length > LONGEST_TEXT:
        raise ValueError("too long")


def _format(pattern: str, *values: Any) -> str:
    texts = [_text(value) for value in values]
    _bounded(pattern.count("{") * max((len(text) for text in texts), default=0))

    def put(match: re.Match[str]) -> str:
        return {"{{": "{", "}}": "}"}.get(match[0]) or texts[int(match["at"])]

    return re.sub(r"\{\{|\}\}|\{(?P<at>\d{1,3})(?::[^{}]*)?\}", put, _strings(pattern)[0])


def _unique_string(*values: Any) -> str:
    """Thirteen letters and digits that depend on the arguments alone."""
    digest = hashlib.sha256("-".join(_strings(*values)).encode()).digest()
    return "".join(_LETTERS[byte % 32] for byte in digest[:13])


def _empty(value: Any) -> bool:
    if value is not None and not isinstance(value, str | list | dict):
        raise TypeError("nothing that can be empty")
    return not value


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, dict):
        return str(item).lower() in {name.lower() for name in container}
    return item in container if isinstance(container, list) else _strings(item)[0] in _strings(container)[0]


def _union(*values: Any) -> Any:
    if all(isinstance(value, dict) for value in values):
        return {name: item for value in values for name, item in value.items()}
    # By their text: what is looked for among thousands one by one takes hours.
    merged: dict[str, Any] = {}
    for value in values:
        for item in list(value):
            merged.setdefault(json.dumps(item, sort_keys=True), item)
    return list(merged.values())


def _equals(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def _substring(text: str, start: int, length: int | None = None) -> str:
    _strings(text)
    _numbers(start, *([] if length is None else [length]))
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text):
        raise ValueError("outside the text")
    return text[start:end]


def _int(value: Any) -> int:
    if isinstance(value, str) and len(value) > 18:
        raise ValueError("too long")
    return int(*_numbers(value)) if not isinstance(value, str) else int(value)


def _bool(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


def _replace(text: str, old: str, new: str) -> str:
    _strings(text, old, new)
    _bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _join(values: list[Any], delimiter: str) -> str:
    texts = [_text(value) for value in values]
    _bounded(sum(map(len, texts)) + len(texts) * len(*_strings(delimiter)))
    return delimiter.join(texts)


def _create_object(*values: Any) -> dict[str, Any]:
    names = _strings(*values[::2])
    return dict(zip(names, values[1::2], strict=True))


def _json(text: str) -> Any:
    try:
        return read(_strings(text)[0].encode())
    except ArmError as error:
        raise ValueError(str(error)) from None


def _split(text: str, delimiter: Any) -> list[str]:
    delimiters = delimiter if isinstance(delimiter, list) else [delimiter]
    if len(delimiters) > MOST_DELIMITERS:
        raise ValueError("too many")
    return re.split("|".join(re.escape(part) for part in _strings(*delimiters)), _strings(text)[0])


_SIMPLE: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "add": (2, 2, lambda a, b: sum(_numbers(a, b))),
    "and": (2, 20, lambda *values: all(_flags(*values))),
    "array": (1, 1, lambda value: value if isinstance(value, list) else [value]),
    "base64": (1, 1, lambda text: base64.b64encode(_strings(text)[0].encode()).decode()),
    "base64ToString": (1, 1, lambda text: base64.b64decode(_strings(text)[0], validate=True).decode()),
    "bool": (1, 1, _bool),
    "coalesce": (1, 20, lambda *values: next((value for value in values if value is not None), None)),
    "concat": (1, 100, _concat),
    "contains": (2, 2, _contains),
    "createArray": (0, 100, lambda *values: list(values)),
    "createObject": (0, 100, _create_object),
    "div": (2, 2, lambda a, b: int(_numbers(a, b)[0] / b)),
    "empty": (1, 1, _empty),
    "endsWith": (2, 2, lambda text, end: _strings(text)[0].lower().endswith(_strings(end)[0].lower())),
    "equals": (2, 2, _equals),
    "false": (0, 0, lambda: False),
    "first": (1, 1, lambda value: value[0]),
    "format": (1, 100, _format),
    "greater": (2, 2, lambda a, b: a > b),
    "greaterOrEquals": (2, 2, lambda a, b: a >= b),
    "guid": (1, 20, lambda *values: str(uuid5(_DNS, "-".join(_strings(*values))))),
    "int": (1, 1, _int),
    "join": (2, 2, _join),
    "json": (1, 1, _json),
    "last": (1, 1, lambda value: value[-1]),
    "length": (1, 1, lambda value: len(value)),
    "less": (2, 2, lambda a, b: a < b),
    "lessOrEquals": (2, 2, lambda a, b: a <= b),
    "mod": (2, 2, lambda a, b: _numbers(a, b)[0] % b),
    "mul": (2, 2, lambda a, b: _numbers(a, b)[0] * b),
    "not": (1, 1, lambda value: not _flags(value)[0]),
    "null": (0, 0, lambda: None),
    "or": (2, 20, lambda *values: any(_flags(*values))),
    "replace": (3, 3, _replace),
    "split": (2, 2, _split),
    "startsWith": (2, 2, lambda text, start: _strings(text)[0].lower().startswith(_strings(start)[0].lower())),
    "string": (1, 1, _text),
    "sub": (2, 2, lambda a, b: _numbers(a, b)[0] - b),
    "substring": (2, 3, _substring),
    "toLower": (1, 1, lambda text: _strings(text)[0].lower()),
    "toUpper": (1, 1, lambda text: _strings(text)[0].upper()),
    "trim": (1, 1, lambda text: _strings(text)[0].strip()),
    "true": (0, 0, lambda: True),
    "union": (1, 20, _union),
    "uniqueString": (1, 20, _unique_string),
}

SIMPLE: dict[str, Function] = {
    "if": _if,
    **{name.lower(): _eager(name, least, most, do) for name, (least, most, do) in _SIMPLE.items()},
}
"""By name in lower case."""
