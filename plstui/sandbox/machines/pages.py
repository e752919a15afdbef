"""What a web server answers: files of the machine, or one page."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Protocol

from plstui.sandbox.machines.disk import Disk

_TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "txt": "text/plain",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}
"""Content types by ending. Python's own table would be read from files of the host."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for."""

    method: str
    path: str
    """Decoded, without the query."""
    host: str
    client: str
    """The address the connection comes from."""
    proxied: str = ""
    """The client's own address, where a PROXY header told it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What it gets."""

    status: int
    body: str
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


class Pages(Protocol):
    """Answers requests."""

    def answer(self, request: Request) -> Answer:
        """The answer to one request."""


@dataclass(frozen=True, slots=True)
class FixedPage:
    """One text for every path."""

    text: str
    content_type: str = "text/plain"

    def answer(self, request: Request) -> Answer:
        """The page."""
        return Answer(200, self.text, self.content_type)


@dataclass(frozen=True, slots=True)
class FilePages:
    """The files under a folder of the machine's disk."""

    disk: Disk
    root: str
    index: tuple[str, ...]
    listing: bool = False
    """Whether a folder without an index is listed, as Python's server does."""
    default_type: str = "application/octet-stream"

    def answer(self, request: Request) -> Answer:
        """The file, the folder's index or listing, or 404."""
        # Normalised under the root: `..` leads nowhere else.
        path = self.root.rstrip("/") + _inside(request.path)
        content = self.disk.read(path)
        if content is not None:
            return Answer(200, content, _type(path) or self.default_type)
        for name in self.index:
            content = self.disk.read(f"{path.rstrip('/')}/{name}")
            if content is not None:
                return Answer(200, content, _type(name) or self.default_type)
        if self.disk.is_folder(path) or request.path == "/":
            if not self.listing:
                return error_page(403, "Forbidden")
            items = "".join(f"<li>{html.escape(name)}</li>\n" for name in self.disk.names(path))
            return Answer(200, f"<!DOCTYPE HTML>\n<title>Directory listing</title>\n<ul>\n{items}</ul>\n")
        return error_page(404, "Not Found")


def error_page(status: int, words: str) -> Answer:
    """A short page that says what went wrong."""
    title = f"{status} {words}"
    body = f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1>\r\n</body>\r\n</html>\r\n"
    return Answer(status, body)


def _type(path: str) -> str | None:
    return _TYPES.get(path.rpartition(".")[2].lower())


def _inside(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)
