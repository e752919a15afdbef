"""nginx, as its configuration files say: servers, ports, pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from plstui.sandbox.machines.pages import Answer, FilePages, Request, error_page
from plstui.sandbox.machines.web import Site

if TYPE_CHECKING:
    from plstui.sandbox.machines.guest import Guest

ACCESS_LOG = "/var/log/nginx/access.log"
MOST_LOG_LINES = 500

_TOKEN = re.compile(
    r"""\s*(?:\#[^\n]*|(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<mark>[{};])|(?P<bare>[^\s{};]+))"""
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_HEADERS_ON = frozenset({200, 201, 204, 206, 301, 302, 303, 304, 307, 308})
"""The answers that `add_header` adds to."""

_REASONS = {200: "OK", 301: "Moved Permanently", 302: "Found", 403: "Forbidden", 404: "Not Found", 503: "Unavailable"}


class NginxConfigError(Exception):
    """`nginx -t` would fail."""


@dataclass(slots=True)
class Directive:
    """One directive with its arguments, and its block if it has one."""

    name: str
    arguments: list[str]
    block: list[Directive] = field(default_factory=list)


def parse(text: str) -> list[Directive]:
    """Read a configuration file. Raises `NginxConfigError`."""
    tokens = list(_tokens(text))
    directives, rest = _block(tokens)
    if rest:
        raise NginxConfigError('unexpected "}"')
    return directives


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if match["quoted"]:
            yield re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), match["quoted"][1:-1])
        elif match["mark"] or match["bare"]:
            yield match["mark"] or match["bare"]


def _block(tokens: list[str]) -> tuple[list[Directive], list[str]]:
    directives: list[Directive] = []
    words: list[str] = []
    while tokens:
        token, *tokens = tokens
        if token == ";":
            if words:
                directives.append(Directive(words[0], words[1:]))
            words = []
        elif token == "{":
            block, tokens = _block(tokens)
            if not tokens:
                raise NginxConfigError('unexpected end of file, expecting "}"')
            tokens = tokens[1:]
            if words:
                directives.append(Directive(words[0], words[1:], block))
            words = []
        elif token == "}":
            if words:
                raise NginxConfigError('unexpected "}"')
            return directives, ["}", *tokens]
        else:
            words.append(token)
    if words:
        raise NginxConfigError('unexpected end of file, expecting ";" or "}"')
    return directives, []


def servers(guest: Guest) -> list[Directive]:
    """The `server` blocks in the order in which nginx includes them. Raises `NginxConfigError`."""
    found: list[Directive] = []
    for folder, ending in (("/etc/nginx/conf.d", ".conf"), ("/etc/nginx/sites-enabled", "")):
        for name in guest.disk.names(folder):
            text = guest.disk.read(f"{folder}/{name}")
            if name.endswith(ending) and text is not None:
                found.extend(directive for directive in parse(text) if directive.name == "server")
    return found


def sites(guest: Guest) -> tuple[Site, ...]:
    """What nginx serves, one site for each port. Raises `ValueError` when it would not start."""
    by_port: dict[int, list[tuple[Directive, list[str]]]] = {}
    try:
        blocks = servers(guest)
    except NginxConfigError as error:
        raise ValueError(str(error)) from None
    for server in blocks:
        listens = [directive.arguments for directive in server.block if directive.name == "listen"] or [["80"]]
        for arguments in listens:
            port = arguments[0].rpartition(":")[2]
            if port.isdigit():
                by_port.setdefault(int(port), []).append((server, arguments[1:]))
    name = f"nginx/1.24.0 ({guest.image.id.capitalize()})"
    return tuple(
        Site(
            port,
            name,
            NginxPages(guest, _default_first(choices)),
            proxy_protocol=any("proxy_protocol" in options for _, options in choices),
            log=_logger(guest),
        )
        for port, choices in by_port.items()
    )


def _logger(guest: Guest) -> Callable[[Request, Answer], None]:
    """Writes the access log in nginx's usual format; old lines go when it grows."""

    def log(request: Request, answer: Answer) -> None:
        when = guest.clock.now().strftime("%d/%b/%Y:%H:%M:%S +0000")
        size = len(answer.body.encode("utf-8", "surrogateescape"))
        line = f'{request.client} - - [{when}] "{request.method} {request.path} HTTP/1.1" {answer.status} {size}\n'
        kept = (guest.disk.read(ACCESS_LOG) or "").splitlines(keepends=True)[-MOST_LOG_LINES:]
        guest.disk.write(ACCESS_LOG, "".join([*kept, line]))

    return log


def _default_first(choices: list[tuple[Directive, list[str]]]) -> tuple[Directive, ...]:
    return tuple(server for server, options in sorted(choices, key=lambda choice: "default_server" not in choice[1]))


@dataclass(frozen=True, slots=True)
class NginxPages:
    """The servers that share a port; the first one is the default."""

    guest: Guest
    blocks: tuple[Directive, ...]

    def answer(self, request: Request) -> Answer:
        """What the server and location that fit best answer."""
        host = request.host.partition(":")[0].lower()
        named = (block for block in self.blocks if host in _arguments(block.block, "server_name"))
        server = next(named, self.blocks[0])
        location = _location(server.block, request.path)
        scopes = [*([location.block] if location else []), server.block]
        headers = tuple(
            (directive.arguments[0], self._expand(directive.arguments[1], request))
            for directive in next((s for s in scopes if any(d.name == "add_header" for d in s)), [])
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
            pages: FilePages = FilePages(self.guest.disk, root, index, default_type=default_type)
            return _typed(self._tried(scopes, pages, request), default_type)
        return self._tried(scopes, FilePages(self.guest.disk, root, index, default_type=default_type), request)

    def _tried(self, scopes: list[list[Directive]], pages: FilePages, request: Request) -> Answer:
        for candidate in _first(scopes, "try_files") or [request.path]:
            if candidate.startswith("="):
                return error_page(int(candidate[1:]), _REASONS.get(int(candidate[1:]), ""))
            path = self._expand(candidate, request)
            answer = pages.answer(replace(request, path=path))
            if answer.status == 200:
                return answer
        return error_page(404, "Not Found")

    def _returned(self, arguments: list[str], default_type: str, request: Request) -> Answer:
        status = int(arguments[0]) if arguments[0].isdigit() else 302
        text = self._expand(" ".join(arguments[1:] if arguments[0].isdigit() else arguments), request)
        if 300 <= status < 400:
            page = error_page(status, _REASONS.get(status, ""))
            return Answer(status, page.body, page.content_type, (("Location", text),))
        return Answer(status, text, default_type) if text else error_page(status, _REASONS.get(status, ""))

    def _expand(self, text: str, request: Request) -> str:
        values = {
            "hostname": self.guest.computer_name,
            "host": request.host.partition(":")[0],
            "uri": request.path,
            "request_uri": request.path,
            "request_method": request.method,
            "remote_addr": request.client,
            "proxy_protocol_addr": request.proxied,
        }
        return re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], ""), text)


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
