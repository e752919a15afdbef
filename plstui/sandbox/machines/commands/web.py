"""`curl` and `wget`, through the machine's network."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from plstui.sandbox.machines.http import BrokenReplyError, EmptyReplyError, Response, fetch
from plstui.sandbox.machines.network import (
    CONNECT_TIMEOUT,
    ConnectError,
    Connection,
    RefusedError,
    TimedOutError,
    UnknownNameError,
)
from plstui.sandbox.machines.shell.interpreter import Shell, command
from plstui.sandbox.machines.shell.streams import Streams, joined

_WITH_VALUE = {
    "-m": "max_time", "--max-time": "max_time", "--connect-timeout": "connect_timeout", "-o": "output",
    "--output": "output", "-w": "write_out", "--write-out": "write_out", "-H": "header", "--header": "header",
    "-X": "method", "--request": "method", "--retry": "retry", "--retry-delay": "retry_delay", "-A": "agent",
    "--noproxy": "", "--retry-max-time": "", "--resolve": "", "--url": "url", "--interface": "",
}  # fmt: skip
_FLAGS = {
    "-s": "silent", "--silent": "silent", "-S": "show_error", "--show-error": "show_error", "-i": "include",
    "--include": "include", "-I": "head", "--head": "head", "-f": "fail", "--fail": "fail", "-L": "follow",
    "--location": "follow", "-v": "", "--verbose": "", "-4": "", "--ipv4": "", "-k": "", "-g": "", "--no-keepalive": "",
    "--retry-connrefused": "", "--retry-all-errors": "", "--http1.1": "", "-N": "", "--compressed": "", "-q": "",
}  # fmt: skip
_MOST_REDIRECTS = 10
_MOST_SECONDS = 1e9
_PORTS = {"http": 80, "https": 443}


class _CurlError(Exception):
    """A failed transfer with curl's exit code and words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(slots=True)
class _Options:
    flags: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)
    headers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def seconds(self, name: str, otherwise: float) -> float:
        try:
            number = float(self.values[name]) if name in self.values else otherwise
        except ValueError:
            number = -1
        # An endless or unknown number of seconds would be one that the event loop cannot put in order.
        if not 0 <= number < _MOST_SECONDS:
            raise _CurlError(2, f"option {name}: expected a proper numerical parameter")
        return number


@dataclass(slots=True)
class _Transfer:
    """One transfer, for `--write-out`."""

    url: str
    started: float
    connected: float = 0.0
    ended: float = 0.0
    response: Response | None = None
    connection: Connection | None = None
    code: int = 0
    error: str = ""


def _read_options(arguments: list[str]) -> _Options:
    options = _Options()
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        if re.fullmatch(r"-[a-zA-Z0-9]{2,}", argument):
            # Short options in one: `-sS`, `-m5`, `-so /dev/null`.
            if argument[:2] in _WITH_VALUE:
                queue[:0] = [argument[:2], argument[2:]]
            else:
                queue[:0] = [argument[:2], "-" + argument[2:]]
            continue
        name, equals, value = argument.partition("=") if argument.startswith("--") else (argument, "", "")
        if name in _WITH_VALUE:
            if not equals:
                if not queue:
                    raise _CurlError(2, f"option {argument}: requires parameter")
                value = queue.pop(0)
            kind = _WITH_VALUE[name]
            if kind == "header":
                options.headers.append(value)
            elif kind == "agent":
                options.headers.append(f"User-Agent: {value}")
            elif kind == "url":
                options.urls.append(value)
            else:
                options.values[kind] = value
        elif argument in _FLAGS:
            options.flags.add(_FLAGS[argument])
        elif argument.startswith("-") and argument != "-":
            raise _CurlError(2, f"option {argument}: not in the sandbox")
        else:
            options.urls.append(argument)
    if not options.urls:
        raise _CurlError(2, "no URL specified")
    return options


@command("curl")
async def curl(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Fetch pages."""
    try:
        options = _read_options(arguments)
        retries, delay = int(options.seconds("retry", 0)), options.seconds("retry_delay", 1)
    except _CurlError as error:
        streams.err(f"curl: {error}\n")
        return error.code
    code = 0
    for url in options.urls:
        await shell.spend()
        try:
            transfer = await _transfer(shell, url, options)
        except _CurlError as error:
            streams.err(f"curl: {error}\n")
            return error.code
        for _ in range(retries):
            if transfer.code not in (7, 28, 52) and (transfer.response is None or transfer.response.status < 500):
                break
            await shell.spend()
            await shell.guest.clock.sleep(delay)
            transfer = await _transfer(shell, url, options)
        code = transfer.code
        _show(shell, transfer, options, streams)
    return code


async def _transfer(shell: Shell, url: str, options: _Options) -> _Transfer:
    clock = shell.guest.clock
    transfer = _Transfer(url, clock.time())
    limit = options.seconds("max_time", 0)
    work = asyncio.ensure_future(_fetched(shell, transfer, options))
    waiting: list[asyncio.Future[None]] = [work]
    if limit:
        waiting.append(asyncio.ensure_future(clock.sleep(limit)))
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        else:
            spent = round((clock.time() - transfer.started) * 1000)
            raise _CurlError(28, f"Operation timed out after {spent} milliseconds with 0 bytes received")
    except _CurlError as error:
        transfer.code, transfer.error = error.code, str(error)
    finally:
        for future in waiting:
            future.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if transfer.connection:
            transfer.connection.writer.close()
    transfer.ended = clock.time()
    return transfer


async def _fetched(shell: Shell, transfer: _Transfer, options: _Options) -> None:
    url = transfer.url
    for _ in range(_MOST_REDIRECTS):
        response = await _one(shell, transfer, url, options)
        location = response.headers.get("location")
        if "follow" not in options.flags or not location or not 300 <= response.status < 400:
            if "fail" in options.flags and response.status >= 400:
                raise _CurlError(22, f"The requested URL returned error: {response.status}")
            return
        url = location if "://" in location else f"{url.rstrip('/')}/{location.lstrip('/')}"
    raise _CurlError(47, f"Maximum ({_MOST_REDIRECTS}) redirects followed")


async def _one(shell: Shell, transfer: _Transfer, url: str, options: _Options) -> Response:
    scheme, host, port, path = _parts(url)
    limit = options.seconds("connect_timeout", CONNECT_TIMEOUT)
    try:
        connection = await shell.guest.network.connect(host, port, limit)
    except UnknownNameError:
        raise _CurlError(6, f"Could not resolve host: {host}") from None
    except RefusedError:
        raise _CurlError(7, f"Failed to connect to {host} port {port}: Connection refused") from None
    except TimedOutError:
        words = f"Failed to connect to {host} port {port} after {round(limit * 1000)} ms: Timeout was reached"
        raise _CurlError(28, words) from None
    except ConnectError as error:
        raise _CurlError(7, f"Failed to connect to {host} port {port}: {error}") from None
    transfer.connection, transfer.connected = connection, shell.guest.clock.time()
    if scheme == "https":
        raise _CurlError(35, "TLS: not in the sandbox")
    method = "HEAD" if "head" in options.flags else options.values.get("method", "GET")
    name = host if port == 80 else f"{host}:{port}"
    try:
        response = await fetch(connection.reader, connection.writer, name, path, method, options.headers)
    except EmptyReplyError:
        raise _CurlError(52, "Empty reply from server") from None
    except (BrokenReplyError, OSError) as error:
        raise _CurlError(56, f"Recv failure: {error}") from None
    transfer.response = response
    return response


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and path of an address."""
    try:
        split = urlsplit(url if "://" in url else f"http://{url}")
        port = split.port
    except ValueError:
        raise _CurlError(3, "URL using bad/illegal format or missing URL") from None
    if split.scheme not in _PORTS:
        raise _CurlError(1, f'Protocol "{split.scheme}" not supported')
    if not split.hostname:
        raise _CurlError(3, "URL using bad/illegal format or missing URL")
    path = (split.path or "/") + (f"?{split.query}" if split.query else "")
    return split.scheme, split.hostname, port or _PORTS[split.scheme], path


def _show(shell: Shell, transfer: _Transfer, options: _Options, streams: Streams) -> None:
    response = transfer.response
    if response and transfer.code != 22:
        body = response.body.decode("utf-8", "surrogateescape")
        text = (response.head if options.flags & {"include", "head"} else "") + body
        output = options.values.get("output", "-")
        if output == "-":
            streams.out(text)
        elif output != "/dev/null":
            shell.guest.disk.write(shell.path(output), text)
    if transfer.code and not ("silent" in options.flags and "show_error" not in options.flags):
        streams.err(f"curl: ({transfer.code}) {transfer.error}\n")
    if "write_out" in options.values:
        streams.out(_written(transfer, options.values["write_out"]))


def _written(transfer: _Transfer, template: str) -> str:
    response, connection = transfer.response, transfer.connection
    connected = max(transfer.connected - transfer.started, 0.0) if connection else 0.0
    total = transfer.ended - transfer.started
    values = {
        "http_code": f"{response.status if response else 0:03d}",
        "response_code": f"{response.status if response else 0:03d}",
        "time_total": f"{total:.6f}",
        "time_connect": f"{connected:.6f}",
        "time_starttransfer": f"{total if response else 0.0:.6f}",
        "time_namelookup": "0.000100",
        "size_download": str(len(response.body) if response else 0),
        "remote_ip": connection.address if connection else "",
        "remote_port": str(connection.port if connection else 0),
        "local_ip": connection.local_address if connection else "",
        "local_port": str(connection.local_port if connection else 0),
        "num_connects": "1" if connection else "0",
        "url": transfer.url,
        "url_effective": transfer.url,
        "content_type": response.headers.get("content-type", "") if response else "",
        "exitcode": str(transfer.code),
        "errormsg": transfer.error,
    }
    parts = re.split(r"%\{(\w+)\}", template)
    text = joined(values.get(part, "") if index % 2 else part for index, part in enumerate(parts))
    return text.replace("%%", "%").replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r")


@command("wget")
async def wget(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Fetch a page, with `-qO-` to standard output."""
    options = _Options()
    queue, output, quiet = list(arguments), "", False
    while queue:
        argument = queue.pop(0)
        if match := re.fullmatch(r"-(q?n?v?)O(.*)", argument):
            quiet = quiet or "q" in match[1]
            output = match[2] or (queue.pop(0) if queue else "-")
        elif argument in ("-T", "--timeout", "-t", "--tries") and queue:
            value = queue.pop(0)
            if argument in ("-T", "--timeout"):
                options.values["connect_timeout"] = options.values["max_time"] = value
        elif match := re.fullmatch(r"--(timeout|tries)=(\d+)|-T(\d+)", argument):
            if match[1] != "tries":
                options.values["connect_timeout"] = options.values["max_time"] = match[2] or match[3]
        elif argument in ("-q", "--quiet", "-nv"):
            quiet = True
        elif not argument.startswith("-"):
            options.urls.append(argument)
    if not options.urls:
        streams.err("wget: missing URL\n")
        return 1
    try:
        transfer = await _transfer(shell, options.urls[0], options)
    except _CurlError as error:
        streams.err(f"wget: {error}\n")
        return 2
    if transfer.code or transfer.response is None:
        if not quiet:
            streams.err(f"wget: {transfer.error}\n")
        return 4
    if transfer.response.status >= 400:
        if not quiet:
            streams.err(f"ERROR {transfer.response.status}\n")
        return 8
    body = transfer.response.body.decode("utf-8", "surrogateescape")
    if output == "-":
        streams.out(body)
    elif output != "/dev/null":
        name = output or urlsplit(options.urls[0]).path.rpartition("/")[2] or "index.html"
        shell.guest.disk.write(shell.path(name), body)
    return 0
