"""nginx, as its configuration files say: servers, ports, pages."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from plstui.sandbox.machines.computer import Computer
from plstui.sandbox.machines.disk import LARGEST_FILE
from plstui.sandbox.machines.pages import Answer, FilePages, Request, error_page
from plstui.sandbox.machines.patterns import Pattern
from plstui.sandbox.machines.web import Site

ACCESS_LOG = "/var/log/nginx/access.log"
MOST_LOG_LINES = 500

LONGEST_CONFIG = 64 * 1024
"""Characters of all configuration files."""
MOST_WORDS = 5_000
"""Words of all configuration files: a request may have to look at each."""
LONGEST_WORD = 4096
"""Characters of one word, nginx's own limit."""
MOST_HEADERS = 50
"""Directives of a block that are looked through for headers."""
DEEPEST = 20
"""Blocks within blocks; nginx itself knows three."""

_TOKEN = Pattern(
    r"""(?P<comment>#[^\n]*)|(?P<quoted>"(?:\\(?s:.)|[^"\\])*"|'(?:\\(?s:.)|[^'\\])*')|(?P<mark>[{};])|(?P<bare>[^\s{};]+)"""
)
_TOO_LONG = "such a long configuration is not in the sandbox"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_HEADERS_ON = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
"""The answers that `add_header` adds to."""

_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 403: "Forbidden", 404: "Not Found", 503: "Unavailable"}


class NginxConfigError(Exception):
    """`nginx -t` would fail."""


class _TooLongError(Exception):
    """The variables in a text make it too long."""


@dataclass(slots=True)
class Directive:
    """One directive with its arguments, and its block if it has one."""

    name: str
    arguments: list[str]
    block: list[Directive] = field(default_factory=list)


def parse(text: str) -> list[Directive]:
    """Read a configuration file. Raises `NginxConfigError`."""
    if len(text) > LONGEST_CONFIG:
        raise NginxConfigError(_TOO_LONG)
    directives: list[Directive] = []
    # The blocks that are open, each with the directive that it belongs to.
    open_blocks: list[list[Directive]] = [directives]
    words: list[str] = []
    for token, quoted in _tokens(text):
        if quoted or token not in (";", "{", "}"):
            words.append(token)
            continue
        if token == "}":
            if words or len(open_blocks) == 1:
                raise NginxConfigError('unexpected "}"')
            open_blocks.pop()
            continue
        directive = Directive(words[0], words[1:]) if words else Directive("", [])
        if words:
            open_blocks[-1].append(directive)
        words = []
        if token == "{":
            open_blocks.append(directive.block)
            if len(open_blocks) > DEEPEST:
                raise NginxConfigError("nested too deeply")
    if words:
        raise NginxConfigError('unexpected end of file, expecting ";" or "}"')
    if len(open_blocks) > 1:
        raise NginxConfigError('unexpected end of file, expecting "}"')
    return directives


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Each word or mark, and whether it stands in quotes."""
    for kind, word in _TOKEN.tokens(text):
        if kind == "comment":
            continue
        if len(word) > LONGEST_WORD:
            raise NginxConfigError(f'too long parameter "{word[:10]}..." started')
        if kind == "quoted":
            yield re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), word[1:-1]), True
        else:
            yield word, False


def servers(computer: Computer) -> list[Directive]:
    """The `server` blocks in the order in which nginx includes them. Raises `NginxConfigError`."""
    found: list[Directive] = []
    size = 0
    for folder, ending in (("/etc/nginx/conf.d", ".conf"), ("/etc/nginx/sites-enabled", "")):
        for name in computer.disk.names(folder):
            text = computer.disk.read(f"{folder}/{name}")
            if name.endswith(ending) and text is not None:
                size += len(text)
                if size > LONGEST_CONFIG:
                    raise NginxConfigError(_TOO_LONG)
                found.extend(directive for directive in parse(text) if directive.name == "server")
    if sum(map(_words, found)) > MOST_WORDS:
        raise NginxConfigError(_TOO_LONG)
    return found


def _words(directive: Directive) -> int:
    """How many words a directive has, all in all. Raises `NginxConfigError` for a status that is none."""
    first, last = (directive.arguments or [""])[0], (directive.arguments or [""])[-1]
    code = first if directive.name == "return" and first[:1].isdigit() and len(directive.arguments) > 1 else ""
    code = last[1:] if directive.name == "try_files" and last.startswith("=") else code
    if code and not re.fullmatch(r"[0-9]{1,3}", code):
        raise NginxConfigError(f'invalid code "{code[:20]}"')
    return 1 + len(directive.arguments) + sum(map(_words, directive.block))


def sites(computer: Computer) -> tuple[Site, ...]:
    """What nginx serves, one site for each port. Raises `ValueError` when it would not start."""
    by_port: dict[int, list[tuple[Directive, list[str]]]] = {}
    try:
        blocks = servers(computer)
    except NginxConfigError as error:
        raise ValueError(str(error)) from None
    for server in blocks:
        listens = [directive.arguments for directive in server.block if directive.name == "listen"] or [["80"]]
        for arguments in listens:
            port = arguments[0].rpartition(":")[2] if arguments else ""
            if re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65536:
                by_port.setdefault(int(port), []).append((server, arguments[1:]))
    name = f"nginx/1.24.0 ({computer.image.id.capitalize()})"
    return tuple(
        Site(
            port,
            name,
            NginxPages(computer, _default_first(choices)),
            proxy_protocol=any("proxy_protocol" in options for _, options in choices),
            log=_logger(computer),
        )
        for port, choices in by_port.items()
    )


def _logger(computer: Computer) -> Callable[[Request, Answer], None]:
    """Writes the access log in nginx's usual format; old lines go when it grows."""

    def log(request: Request, answer: Answer) -> None:
        when = computer.clock.now().strftime("%d/%b/%Y:%H:%M:%S +0000")
        size = len(answer.body.encode("utf-8", "surrogateescape"))
        line = f'{request.client} - - [{when}] "{request.method} {request.path} HTTP/1.1" {answer.status} {size}\n'
        old = computer.disk.read(ACCESS_LOG) or ""
        most = MOST_LOG_LINES if len(old) < LARGEST_FILE // 2 else 10
        # On a full disk nginx serves its pages all the same.
        with contextlib.suppress(OSError):
            computer.disk.write(ACCESS_LOG, "".join([*old.splitlines(keepends=True)[-most:], line]))

    return log


def _default_first(choices: list[tuple[Directive, list[str]]]) -> tuple[Directive, ...]:
    return tuple(server for server, options in sorted(choices, key=lambda choice: "default_server" not in choice[1]))


@dataclass(frozen=True, slots=True)
class NginxPages:
    """The servers that share a port; the first one is the default."""

    computer: Computer
    blocks: tuple[Directive, ...]

    def answer(self, request: Request) -> Answer:
        """What the server and location that fit best answer."""
        try:
            return self._answer(request)
        except _TooLongError:
            return error_page(500, "Internal Server Error")

    def _answer(self, request: Request) -> Answer:
        host = request.host.partition(":")[0].lower()
        named = (block for block in self.blocks if host in _arguments(block.block, "server_name"))
        server = next(named, self.blocks[0])
        location = _location(server.block, request.path)
        scopes = [*([location.block] if location else []), server.block]
        headers = tuple(
            (directive.arguments[0], self._expand(directive.arguments[1], request))
            for directive in next((s for s in scopes if any(d.name == "add_header" for d in s)), [])[:MOST_HEADERS]
            if directive.name == "add_header" and len(directive.arguments) > 1
        )
        answer = self._content(scopes, request)
        return replace(answer, headers=answer.headers + headers) if answer.status in _HEADERS_ON else answer

    def _content(self, scopes: list[list[Directive]], request: Request) -> Answer:
        default_type = (_first(scopes, "default_type") or ["text/plain"])[0]
        for scope in reversed(scopes):
            if returned := _arguments(scope, "return"):
                return self._returned(returned, default_type, request)
        root = (_first(scopes, "root") or ["/usr/share/nginx/html"])[0]
        index = tuple(_first(scopes, "index") or ["index.html"])
        if any(directive.name == "types" and not directive.block for scope in scopes for directive in scope):
            # An emptied table of types: everything is the default type.
            pages: FilePages = FilePages(self.computer.disk, root, index, default_type=default_type)
            return _typed(self._tried(scopes, pages, request), default_type)
        return self._tried(scopes, FilePages(self.computer.disk, root, index, default_type=default_type), request)

    def _tried(self, scopes: list[list[Directive]], pages: FilePages, request: Request) -> Answer:
        for candidate in _first(scopes, "try_files") or [request.path]:
            if re.fullmatch(r"=[0-9]{1,3}", candidate):
                return error_page(int(candidate[1:]), _REASONS.get(int(candidate[1:]), ""))
            path = self._expand(candidate, request)
            answer = pages.answer(replace(request, path=path))
            if answer.status == 200:
                return answer
        return error_page(404, "Not Found")

    def _returned(self, arguments: list[str], default_type: str, request: Request) -> Answer:
        coded = re.fullmatch(r"[0-9]{1,3}", arguments[0])
        status = int(arguments[0]) if coded else 302
        text = self._expand(" ".join(arguments[1:] if coded else arguments), request)
        if 300 <= status < 400:
            page = error_page(status, _REASONS.get(status, ""))
            return Answer(status, page.body, page.content_type, (("Location", text),))
        return Answer(status, text, default_type) if text else error_page(status, _REASONS.get(status, ""))

    def _expand(self, text: str, request: Request) -> str:
        values = {
            "hostname": self.computer.computer_name,
            "host": request.host.partition(":")[0],
            "uri": request.path,
            "request_uri": request.path,
            "request_method": request.method,
            "remote_addr": request.client,
            "proxy_protocol_addr": request.proxied,
        }
        parts = re.split(r"\$\{?(\w+)\}?", text)
        taken, size = [], 0
        for index, part in enumerate(parts):
            value = values.get(part, "") if index % 2 else part
            taken.append(value)
            size += len(value)
            if size > LONGEST_CONFIG:
                raise _TooLongError
        return "".join(taken)


def _typed(answer: Answer, content_type: str) -> Answer:
    return Answer(answer.status, answer.body, content_type if answer.status == 200 else answer.content_type)


def _arguments(block: Iterable[Directive], name: str) -> list[str]:
    return next((directive.arguments for directive in block if directive.name == name), [])


def _first(scopes: list[list[Directive]], name: str) -> list[str] | None:
    return next((arguments for scope in scopes if (arguments := _arguments(scope, name))), None)


def _location(block: list[Directive], path: str) -> Directive | None:
    """The exact location for a path, else the longest prefix."""
    best: Directive | None = None
    for directive in block:
        if directive.name != "location" or not directive.arguments:
            continue
        *modifier, prefix = directive.arguments
        if modifier == ["="] and prefix == path:
            return directive
        longer = best is None or len(prefix) > len(best.arguments[-1])
        if modifier in ([], ["^~"]) and path.startswith(prefix) and longer:
            best = directive
    return best
