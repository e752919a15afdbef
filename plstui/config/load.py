"""Read settings from a file and the environment, and say exactly what is wrong with them."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from plstui.config import locations
from plstui.config.settings import Keys, Settings
from plstui.domain.errors import ConfigError
from plstui.domain.files import read_text

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<key>[^`]*)`")

DEEPEST = 32
"""Levels of lists, tables and keys; the settings have three."""

_QUOTED = re.compile(
    r'''"""(?:[^\\]|\\.|\\\Z)*?(?:"""|\Z)|\'{3}.*?(?:\'{3}|\Z)|"(?:[^"\\\n]|\\.)*"?|'[^'\n]*'?|#[^\n]*''', re.DOTALL
)
"""What may hold brackets and dots that mean nothing: texts and comments.

A text without an end is one too: otherwise each quote in it would be looked at as the beginning of another.
"""

_LONG_KEY = re.compile(rf"(?:\.[^.=,\[\]{{}}]*){{{DEEPEST}}}")

LARGEST = 1024 * 1024
"""Bytes that are read of a settings file; one with every key has five thousand."""

_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text in quotes",
    "object": "a section",
    "array": "a list",
    "null": "nothing",
    "datetime": "a date",
    "date": "a date",
    "time": "a time",
}
"""What msgspec's names of kinds are to who writes settings."""

NO_SETTINGS = frozenset({"PLSTUI_CONFIG", "PLSTUI_ARM_EVIDENCE"})
"""Environment variables of plstui's that are no settings: where they are, and where the tests' recordings are."""

KEYS = "PLSTUI_KEYS_"
"""How the environment variables begin that give a command of the panes a key."""

Override = Mapping[str, Mapping[str, Any]]
"""Values from the command line, section by section; they win over the environment and the file."""


def load(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    override: Override | None = None,
    only: str = "",
) -> Settings:
    """Settings from defaults, file, environment and command line, later ones winning; `only` one section of them.

    A file that was named must exist; the usual one may be missing. Raises `ConfigError` naming file, line and key.
    """
    named = path or (locations.expand(environ["PLSTUI_CONFIG"]) if environ.get("PLSTUI_CONFIG") else None)
    source = named or locations.config_file(environ)
    text = _read(source, named_by="--config" if path else "PLSTUI_CONFIG" if named else "")
    raw = {section: value for section, value in _parse(source, text).items() if only in ("", section)}
    # The file is judged alone first, so that a message about it can name its line.
    try:
        msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise _explain(source, text, error) from None
    for keys, value in _from_environment(environ):
        if only in ("", keys[0]):
            _set(raw, keys, value)
    for section, values in (override or {}).items():
        for key, value in values.items():
            _set(raw, (section, key), value)
    return msgspec.convert(raw, Settings)


def _read(source: Path, *, named_by: str) -> str:
    try:
        return read_text(source, LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        if not named_by:
            return ""
        raise ConfigError(
            f"There is no settings file {source}.", hint=f"Check the path given with {named_by}."
        ) from None
    except OSError as error:
        raise ConfigError(f"The settings file {source} cannot be read: {error.strerror}.") from None


def _parse(source: Path, text: str) -> dict[str, Any]:
    _check_depth(source, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        # "line 3, column 5)" or "end of document)"
        line = number[0] if (number := re.findall(r"\d+", place)) else max(1, len(text.splitlines()))
        raise ConfigError(f"{source}, line {line}: this is not valid TOML: {_lower(what)}.") from None


def _check_depth(source: Path, text: str) -> None:
    """Raise `ConfigError` for what is nested deeper than anybody means: TOML's parser would take all memory for it."""
    bare = _QUOTED.sub(lambda quoted: "\n" * quoted[0].count("\n"), text)
    depth = 0
    for number, line in enumerate(bare.split("\n"), start=1):
        # A level for each bracket that is open, or for each part of a key.
        deepest = max(accumulate(((char in "[{") - (char in "]}") for char in line), initial=depth))
        if deepest > DEEPEST or _LONG_KEY.search(line):
            raise ConfigError(f"{source}, line {number}: lists, tables or keys are nested too deeply.")
        depth += sum(map(line.count, "[{")) - sum(map(line.count, "]}"))


def _explain(source: Path, text: str, error: msgspec.ValidationError) -> ConfigError:
    """The same error with file, line, key and what is allowed there."""
    match = _WHERE.match(str(error))
    what, path = (match["what"], match["path"] or "") if match else (str(error), "")
    # The place in a list is no key, and of a section with keys of one's own msgspec does not tell which it was.
    path = path.removesuffix("[...]")
    keys = tuple(part.partition("[")[0] for part in path.split(".") if part)
    if unknown := _UNKNOWN.search(what):
        where = f"[{path}]" if path else "the top level"
        allowed = ", ".join(sorted(_fields(_struct_at(keys))))
        line = _line_of(text, (*keys, unknown["key"]))
        return ConfigError(
            f"{source}, line {line}: there is no key `{unknown['key']}` in {where}.", hint=f"Allowed are: {allowed}."
        )
    return ConfigError(
        f"{source}, line {_line_of(text, keys)}: the value of `{path}` is not allowed{_because(_in_words(what))}.",
        hint=_allowed(keys),
    )


def _in_words(what: str) -> str:
    """What msgspec found, without the names Python has for things."""
    if what.startswith("Invalid enum value"):
        return f"there is no {what.removeprefix('Invalid enum value ')}"
    # What is allowed says it better.
    if "matching regex" in what or "`str` of length" in what:
        return ""
    what = re.sub(r"\.0\b", "", _lower(what))
    for python, words in _WORDS.items():
        what = what.replace(f"`{python}`", words)
    return what.replace(">= ", "of at least ").replace("<= ", "of at most ")


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _fields(struct: type) -> dict[str, Any]:
    return {f.name: f.type for f in msgspec.structs.fields(struct)}


def _struct_at(keys: tuple[str, ...]) -> type:
    struct: type = Settings
    for key in keys:
        struct = _fields(struct)[key]
    return struct


def _allowed(keys: tuple[str, ...]) -> str:
    """What may stand at a key, in words; empty when the error says it all."""
    kind = _fields(_struct_at(keys[:-1])).get(keys[-1]) if keys else None
    if described := next((meta.description for meta in getattr(kind, "__metadata__", ())), None):
        return f"Allowed is {described}."
    if get_origin(kind) is tuple:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return f"Allowed are: {', '.join(get_args(kind))}."
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return f"It is a section with the keys {', '.join(sorted(_fields(kind)))}."
    return ""


def _line_of(text: str, keys: tuple[str, ...]) -> int:
    """The line on which a key or its section stands; TOML's parser does not tell."""
    section: tuple[str, ...] = ()
    best = 1
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if header := re.match(r"^\[+\s*([^\]]+?)\s*\]+", stripped):
            section = tuple(part.strip().strip("\"'") for part in header[1].split("."))
            if section == keys[: len(section)]:
                best = number
            if section == keys:
                return number
        elif assignment := re.match(r"^([\w.\"'-]+)\s*=", stripped):
            key = (*section, *(part.strip("\"'") for part in assignment[1].split(".")))
            if key == keys:
                return number
            if key == keys[: len(key)]:
                best = number
    return best


def check_names(environ: Mapping[str, str]) -> None:
    """Raise `ConfigError` for a variable that is called like a setting and is none.

    Passed over, a misspelt PLSTUI_UI_READ_ONLY would let a person write who meant to look only.
    """
    known = [*_variables(), *NO_SETTINGS]
    for name in environ:
        if name.startswith("PLSTUI_") and name not in known and not name.startswith(KEYS):
            near = get_close_matches(name, known, n=1, cutoff=0.0)[0]
            section = name[: name.find("_", len("PLSTUI_")) + 1]
            beside = ", ".join(other for other in known if section and other.startswith(section))
            raise ConfigError(
                f"No setting belongs to the environment variable {name}.",
                hint=f"Did you mean {near}?{f' There are {beside}.' if beside else ''}",
            )


def _variables() -> dict[str, tuple[tuple[str, ...], Any]]:
    """By environment variable, the keys and the type of the setting that it sets."""
    return {"_".join(("PLSTUI", *keys)).upper(): (keys, kind) for keys, kind in _leaves(Settings)}


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[tuple[str, ...], Any]]:
    check_names(environ)
    known = _variables()
    for name in environ:
        if name.startswith(KEYS):
            yield ("keys", name.removeprefix(KEYS).lower().replace("_", "-")), environ[name]
    for name, (keys, kind) in known.items():
        if name not in environ:
            continue
        try:
            text = environ[name]
            # A list is written with commas.
            value = [part.strip() for part in text.split(",")] if get_origin(kind) is tuple else text
            yield keys, msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            # All that stands in the environment is text; what it was taken for is nobody's concern.
            reason = _in_words(str(error)).partition(", got ")[0]
            raise ConfigError(
                f"The value of the environment variable {name} is not allowed{_because(reason)}.", hint=_allowed(keys)
            ) from None


def _leaves(struct: type, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, kind in _fields(struct).items():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield from _leaves(kind, (*keys, name))
        elif kind is not Keys:  # Its names are no settings' names.
            yield (*keys, name), kind


def _set(raw: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    for key in keys[:-1]:
        raw = raw.setdefault(key, {})
    raw[keys[-1]] = value
