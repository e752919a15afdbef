"""Read OpenSSH's client configuration where OpenSSH is not there to be asked.

It does what readconf.c of OpenSSH does, and refuses by name what it does not know. A condition that it cannot judge is
never taken for true.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

from plstui.domain.files import read_bytes
from plstui.domain.text import clean
from plstui.probe.route import RouteError
from plstui.probe.ssh.keywords import LISTS, OTHERS, SINGLE
from plstui.probe.ssh.machine import machines
from plstui.probe.ssh.options import Options, account, expand, expand_path, file_tokens, path_of

DEEPEST_INCLUDE = 16
"""Files that include each other, as in OpenSSH."""

MOST_FILES = 1000
"""Files that are read for one host. More of them include each other."""

_LINE = re.compile(r'[ \t\r]*(?P<keyword>[^ \t\r="]+)(?:[ \t\r]*=[ \t\r]*|[ \t\r]+|$)(?P<rest>.*)', re.DOTALL)
_CRITERION = re.compile(r'(?:"(?P<quoted>[^"]*)"|(?P<plain>[^ \t="]+))(?:[ \t]*=[ \t]*|[ \t]+|$)')
_WITHOUT_ARGUMENT = ("all", "canonical", "final")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


class _Wrong(Exception):
    """What is wrong with a line, as the end of a sentence."""


@dataclass(slots=True)
class _State:
    """What is known after the lines that were read so far."""

    name: str
    """The host as the person calls it."""
    host: str
    """What `Host` compares."""
    values: dict[str, str]
    lists: dict[str, list[str]] = field(default_factory=dict)
    final: bool = False
    """Whether all is read for the second time."""
    wants_final: bool = False
    active: bool = True
    files: int = 0
    passed_over: list[str] = field(default_factory=list)


class Reader:
    """A configuration file that is read anew for each host. `config` may be missing where it is not `named`."""

    def __init__(self, config: Path, *, named: bool) -> None:
        self._config = config
        self._named = named

    def lookup(self, name: str, user: str, port: int | None) -> Options:
        """What the configuration says of a host. Raises `RouteError`."""
        values = {"user": user} if user else {}
        if port:
            values["port"] = str(port)
        state = _State(name, name, values)
        self._read_all(state)
        host = expand(state.values.get("hostname", name), {"%": "%", "h": name}, "HostName")
        state.host = host if _is_address(host) else host.lower()
        if state.wants_final:
            state.final = True
            state.values["hostname"] = state.host
            self._read_all(state)
        if _YES_NO[state.values.get("canonicalizehostname", "no")]:
            raise RouteError(
                f"CanonicalizeHostname in the SSH configuration {self._config} asks name servers what {name} is, which "
                "plstui leaves to OpenSSH: install it, or write the whole name."
            )
        return _options(state)

    def _read_all(self, state: _State) -> None:
        state.active, state.files = True, 0
        if self._named or self._config.exists():
            _read(state, self._config, 0, never=False, strict=not self._named)


def _options(state: _State) -> Options:
    values = state.values
    user = values.get("user") or account()
    port, alias = int(values.get("port", "22")), values.get("hostkeyalias", "")
    tokens = file_tokens(state.host, state.name, port, user, alias)

    def paths(keyword: str, what: str) -> tuple[str, ...] | None:
        files = state.lists.get(keyword)
        if files is None:
            return None
        return tuple(expand_path(file, tokens, what) for file in files if file.lower() != "none")

    agent = values.get("identityagent", "")
    return Options(
        host=state.host,
        port=port,
        user=user,
        identity_files=paths("identityfile", "IdentityFile"),
        certificate_files=tuple(file for file in state.lists.get("certificatefile", ()) if file.lower() != "none"),
        identities_only=_YES_NO[values.get("identitiesonly", "no")],
        identity_agent=agent if re.match(r"\$[^{]", agent) else expand_path(agent, tokens, "IdentityAgent"),
        known_hosts_files=paths("userknownhostsfile", "UserKnownHostsFile"),
        host_key_alias=alias,
        proxy_jump=_unless_none(values.get("proxyjump", "")),
        proxy_command=_unless_none(values.get("proxycommand", "")),
        passed_over=tuple(dict.fromkeys(state.passed_over)),
    )


def _unless_none(value: str) -> str:
    return "" if value.lower() == "none" else value


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _read(state: _State, file: Path, depth: int, *, never: bool, strict: bool) -> None:
    """Take in a file. With `never` no block of it counts; with `strict` others must not be able to write it."""
    state.files += 1
    if depth > DEEPEST_INCLUDE or state.files > MOST_FILES:
        raise RouteError(f"The SSH configuration {file} includes too many files; does it include itself?")
    try:
        # Paths in it may be in any encoding.
        text = os.fsdecode(read_bytes(file))
        status = file.stat()
    except OSError as error:
        if depth and isinstance(error, FileNotFoundError | IsADirectoryError):
            return
        raise RouteError(f"The SSH configuration {file} cannot be read: {error.strerror}.") from None
    if strict and stat.S_ISREG(status.st_mode) and (status.st_uid not in (0, os.getuid()) or status.st_mode & 0o022):
        raise RouteError(
            f"The SSH configuration {file} is not used, as others than you can write it: chmod go-w {file}"
        )
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            if line.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
                raise _Wrong("it begins with a byte order mark (BOM), which OpenSSH does not take either")
            _take_line(state, line.rstrip(" \t\r\n\f"), f"{file}, line {number}", depth, never=never)
        except _Wrong as wrong:
            raise RouteError(
                f"The SSH configuration is not understood without OpenSSH: {file}, line {number}: {wrong}. "
                "Mend the line, or install OpenSSH, which is asked where it is there."
            ) from None


def _take_line(state: _State, line: str, where: str, depth: int, *, never: bool) -> None:
    if not line.strip() or line.lstrip(" \t\r").startswith("#"):
        return
    match = _LINE.match(line)
    if not match:
        raise _Wrong(f"“{clean(line, 60)}” has no keyword")
    keyword, rest = match["keyword"].lower(), match["rest"]
    if not rest:
        raise _Wrong(f"{clean(keyword, 40)} has no value")
    if keyword not in OTHERS | SINGLE | LISTS and not keyword.startswith("gssapi"):
        if _matches(state.values.get("ignoreunknown", "").lower(), keyword):
            return
        raise _Wrong(f"“{clean(match['keyword'], 40)}” is not a keyword that plstui knows")
    words = list(_words(rest))
    if keyword == "host":
        _host(state, words, never=never)
    elif keyword == "match":
        applies = _match(state, rest, where, never=never)
        state.active = applies and not never
    elif keyword == "include":
        _include(state, words, depth)
    elif keyword == "proxycommand":
        # Of these two the first that is there wins.
        if state.active and not _unless_none(state.values.get("proxyjump", "")):
            state.values.setdefault(keyword, rest)
    elif keyword == "proxyjump":
        value = rest.partition("#")[0].rstrip()
        try:
            machines(value)
        except RouteError as error:
            raise _Wrong(str(error).removesuffix(".")) from None
        if state.active and "proxycommand" not in state.values:
            state.values.setdefault(keyword, value)
    elif keyword in LISTS:
        _list(state, keyword, words)
    elif keyword in SINGLE:
        value = _single(keyword, words)
        if state.active:
            state.values.setdefault(keyword, value)


def _host(state: _State, patterns: list[str], *, never: bool) -> None:
    state.active = False
    for pattern in patterns if not never else ():
        if _fits(pattern.removeprefix("!"), state.host):
            state.active = not pattern.startswith("!")
            if not state.active:
                break


def _match(state: _State, text: str, where: str, *, never: bool) -> bool:
    """Whether a block applies. A criterion that cannot be judged is named, and the block does not apply."""
    applies, unjudged = True, ""
    words = _criteria(text)
    seen = False
    for word in words:
        seen = True
        negated, criterion = word.startswith("!"), word.removeprefix("!").lower()
        argument = None if criterion in _WITHOUT_ARGUMENT else next(words, None)
        if argument is None and criterion not in _WITHOUT_ARGUMENT:
            raise _Wrong(f"“Match {clean(criterion, 40)}” has no value")
        holds = _judge(state, criterion, argument or "")
        if holds is None:
            unjudged = unjudged or criterion
        elif holds == negated:
            applies = False
    if not seen:
        raise _Wrong("Match has no condition")
    if applies and unjudged and not never:
        state.passed_over.append(f"“Match {clean(unjudged, 40)}” ({where})")
    return applies and not unjudged


def _judge(state: _State, criterion: str, argument: str) -> bool | None:
    """Whether a criterion holds; None where that cannot be said here."""
    match criterion:
        case "all":
            return True
        case "canonical" | "final":
            state.wants_final = state.wants_final or criterion == "final"
            return state.final
        case "host":
            named = state.values.get("hostname", "")
            host = state.host if state.final else expand(named, {"%": "%", "h": state.name}, "HostName") or state.name
            return _matches(argument.lower(), host.lower())
        case "originalhost":
            return _matches(argument.lower(), state.name.lower())
        case "user":
            return _matches(argument, state.values.get("user") or account())
        case "localuser":
            return _matches(argument, account())
    return None


def _include(state: _State, patterns: list[str], depth: int) -> None:
    active = state.active
    for pattern in patterns:
        if re.search(r"%|\$\{", pattern):
            # Some versions of OpenSSH expand these and some do not.
            raise _Wrong(f"Include “{clean(pattern, 60)}” has tokens or variables")
        # Relative ones are in ~/.ssh.
        for file in sorted(glob(str(path_of("~/.ssh") / path_of(pattern)))):
            _read(state, Path(file), depth + 1, never=not active, strict=True)
            # A block of an included file ends with that file.
            state.active = active


def _list(state: _State, keyword: str, words: list[str]) -> None:
    if not all(words) or not words:
        raise _Wrong(f"{keyword} has no value")
    if keyword == "userknownhostsfile":
        if len(words) > 1 and "none" in map(str.lower, words):
            raise _Wrong(f"“none” in {keyword} has to stand alone")
        if state.active:
            state.lists.setdefault(keyword, words)
        return
    [word] = [_single(keyword, words)]
    known = state.lists.setdefault(keyword, []) if state.active else [word]
    if word not in known:
        known.append(word)


def _single(keyword: str, words: list[str]) -> str:
    """The one value of a keyword, checked as OpenSSH does."""
    if not words or not words[0]:
        raise _Wrong(f"{keyword} has no value")
    if len(words) > 1:
        raise _Wrong(f"{keyword} has more than one value")
    value = words[0]
    if keyword == "port":
        try:
            number = int(value) if value.isascii() and value.isdecimal() else socket.getservbyname(value, "tcp")
        except (OSError, ValueError):
            number = 0
        if not 0 < number < 65536:
            raise _Wrong(f"“{clean(value, 40)}” is not a port")
        return str(number)
    if keyword in ("identitiesonly", "canonicalizehostname"):
        if value.lower() == "always" and keyword == "canonicalizehostname":
            value = "yes"
        if value.lower() not in _YES_NO:
            raise _Wrong(f"“{clean(value, 40)}” is not allowed for {keyword}")
        return value.lower()
    return value.lower() if keyword == "hostkeyalias" else value


def _words(text: str) -> Iterator[str]:
    """The words of a line up to a comment, without their quotes."""
    position = 0
    while position < len(text):
        if text[position] in " \t":
            position += 1
            continue
        if text[position] == "#":
            return
        word, quote = "", ""
        while position < len(text):
            char, after = text[position], text[position + 1 : position + 2]
            if char == "\\" and after and (after in "'\"\\" or (after == " " and not quote)):
                word += after
                position += 1
            elif not quote and char in " \t":
                break
            elif not quote and char in "'\"":
                quote = char
            elif char == quote:
                quote = ""
            else:
                word += char
            position += 1
        if quote:
            raise _Wrong("a quotation mark is missing")
        yield word


def _criteria(text: str) -> Iterator[str]:
    """The words of a Match line up to a comment; between a criterion and its value there may be an `=`."""
    position = 0
    while position < len(text) and text[position] != "#":
        match = _CRITERION.match(text, position)
        if not match:
            raise _Wrong(f"“{clean(text, 60)}” is not a condition")
        yield match["plain"] if match["quoted"] is None else match["quoted"]
        position = match.end()


def _matches(patterns: str, text: str) -> bool:
    """Whether one of some patterns with commas between them fits, and none that begins with `!`."""
    fitting = [pattern for pattern in patterns.split(",") if _fits(pattern.removeprefix("!"), text)]
    return bool(fitting) and not any(pattern.startswith("!") for pattern in fitting)


def _fits(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` and `?` fits."""
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text, re.DOTALL))
