"""Which command lines are web servers, and what they serve."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from plstui.sandbox.machines import nginx
from plstui.sandbox.machines.computer import Computer
from plstui.sandbox.machines.pages import FilePages, FixedPage
from plstui.sandbox.machines.patterns import Pattern, literal
from plstui.sandbox.machines.web import Site

LAST_PORT = 65535
LONGEST_SCRIPT = 256 * 1024
"""Characters of a script that are looked through for a server."""
LONGEST_NAME = 100
"""Characters of the name that a script gives its port."""

# They look through whole scripts, which anybody may write: blanks alone would keep a backtracking matcher for hours.
_SCRIPT_SERVER = Pattern(r"(?:HTTP|TCP)Server\s*\(\s*\(\s*[^,()]*,\s*(?P<port>\w+)")
_SCRIPT_NUMBER = r"\b{}\s*(?::\s*int\s*)?=\s*(?P<number>\d{{1,5}})"
_SCRIPT_FOLDER = Pattern(r"(?:directory\s*=|chdir\()\s*['\"](?P<folder>/[^'\"]*)['\"]")


@dataclass(frozen=True, slots=True)
class Program:
    """A server that a command line starts."""

    sites: tuple[Site, ...]
    """What it serves, one for each port."""


def find_server(computer: Computer, argv: Sequence[str], folder: str = "") -> Program | None:
    """The server that a command starts; None when it starts none that the sandbox knows.

    nginx is known by its configuration, apache2 and lighttpd by Debian's default site, Python by `-m http.server` or
    by a script that makes an `HTTPServer` on a port.
    """
    if not argv:
        return None
    name = argv[0].rpartition("/")[2]
    if name == "nginx" and computer.disk.exists("/usr/sbin/nginx"):
        return Program(nginx.sites(computer))
    if name in ("apache2", "lighttpd") and computer.disk.exists(f"/usr/sbin/{name}"):
        pages = FilePages(computer.disk, "/var/www/html", ("index.html",))
        return Program((Site(80, "Apache/2.4.58 (Ubuntu)" if name == "apache2" else "lighttpd/1.4.74", pages),))
    if re.fullmatch(r"python3?(\.\d+)?", name):
        return _python(computer, list(argv[1:]), folder)
    return None


def _python(computer: Computer, arguments: list[str], folder: str) -> Program | None:
    if arguments[:2] == ["-m", "http.server"]:
        return _http_server(computer, arguments[2:], folder)
    if arguments[:1] == ["-c"] and len(arguments) > 1:
        return _script(computer, arguments[1], folder)
    path = next((argument for argument in arguments if not argument.startswith("-")), None)
    text = computer.disk.read(path) if path else None
    return _script(computer, text, folder) if text is not None else None


def _http_server(computer: Computer, arguments: list[str], folder: str) -> Program | None:
    port = 8000
    while arguments:
        argument = arguments.pop(0)
        if argument in ("-d", "--directory", "-b", "--bind", "-p", "--protocol"):
            if not arguments:
                return None
            value = arguments.pop(0)
            folder = value if argument in ("-d", "--directory") else folder
        elif argument.startswith("--directory="):
            folder = argument.partition("=")[2]
        elif argument.isdecimal() and len(argument) < 6:
            port = int(argument)
    if not 0 < port <= LAST_PORT:
        return None
    return Program(
        (_python_site(computer, port, FilePages(computer.disk, folder or "/", ("index.html",), listing=True)),)
    )


def _script(computer: Computer, text: str, folder: str) -> Program | None:
    """The server in a script. A handler of its own is taken to do what the lab's page does: name the machine."""
    text = text[:LONGEST_SCRIPT]
    match = _SCRIPT_SERVER.first(text)
    if not match or len(match["port"]) > LONGEST_NAME:
        return None
    port = match["port"]
    if not port.isdigit():
        number = Pattern(_SCRIPT_NUMBER.format(literal(port))).first(text)
        if not number:
            return None
        port = number["number"]
    if not 0 < int(port) <= LAST_PORT:
        return None
    if "do_GET" not in text:
        served = _SCRIPT_FOLDER.first(text)
        pages = FilePages(computer.disk, served["folder"] if served else folder or "/", ("index.html",), listing=True)
        return Program((_python_site(computer, int(port), pages),))
    return Program((_python_site(computer, int(port), FixedPage(f"Host: {computer.computer_name}")),))


def _python_site(computer: Computer, port: int, pages: FilePages | FixedPage) -> Site:
    return Site(port, f"SimpleHTTP/0.6 Python/{computer.image.python}", pages)
