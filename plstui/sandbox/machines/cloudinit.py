"""Runs a machine's user data at its first boot, in cloud-init's order."""

from __future__ import annotations

import base64
import contextlib
import shlex
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from plstui.sandbox.machines import packages
from plstui.sandbox.machines.aside import aside
from plstui.sandbox.machines.disk import LARGEST_FILE
from plstui.sandbox.machines.errors import ShellSyntaxError
from plstui.sandbox.machines.shell.interpreter import Shell
from plstui.sandbox.machines.shell.parser import LONGEST
from plstui.sandbox.machines.shell.streams import Sink, Streams

if TYPE_CHECKING:
    from plstui.sandbox.machines.guest import Guest

OUTPUT = "/var/log/cloud-init-output.log"
MOST_VALUES = 100_000
"""Values that user data may stand for."""
RUNCMD = "/var/lib/cloud/instance/scripts/runcmd"


def decode(custom_data: str) -> str:
    """User data from the `customData` of a machine: base64, perhaps compressed. Raises `ValueError`."""
    try:
        raw = base64.b64decode(custom_data, validate=False)
        return (_unpacked(raw) if raw.startswith(b"\x1f\x8b") else raw).decode("utf-8", "surrogateescape")
    except ValueError as error:
        raise ValueError(f"customData cannot be decoded: {error}") from None


def _unpacked(packed: bytes) -> bytes:
    """What gzip has compressed. Raises `ValueError` where that is damaged, or more than a file of a machine holds."""
    reader = zlib.decompressobj(wbits=31)
    try:
        data = reader.decompress(packed, LARGEST_FILE)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if not reader.eof:
        raise ValueError("it is cut off, or too large for the sandbox")
    return data


async def first_boot(guest: Guest, user_data: str) -> None:
    """Do what the user data says. A part that fails does not stop the others, and shows in the status."""
    sink = Sink()
    guest.cloud_init_status = "running"
    run = _Run(guest, sink)
    if user_data.startswith("#!"):
        await run.script("user-data", user_data)
    elif user_data.startswith(("#cloud-config", "## template:")):
        try:
            config = await aside(len(user_data), _loaded, _rendered(guest, user_data))
        except ValueError as error:
            run.fail(f"user data is no YAML: {error}")
        else:
            if isinstance(config, Mapping):
                await run.config(config)
    with contextlib.suppress(OSError):
        guest.disk.append(OUTPUT, sink.text)
    guest.cloud_init_status = "error" if run.failures else "done"


def _loaded(text: str) -> Any:
    """A YAML document. Raises `ValueError`."""
    if len(text) > LONGEST:
        raise ValueError("it is too long for the sandbox")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(str(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # An alias takes a few letters, and aliases of aliases stand for more than there is memory.
    left = MOST_VALUES
    stack = [document]
    while stack:
        left -= 1
        if left < 0:
            raise ValueError("it is too large for the sandbox")
        value = stack.pop()
        if isinstance(value, Mapping | list):
            stack.extend(value.values() if isinstance(value, Mapping) else value)
    return document


def _rendered(guest: Guest, text: str) -> str:
    """The names of the machine in a jinja template; no other variable means anything here."""
    if not text.startswith("## template:"):
        return text
    for name in ("v1.local_hostname", "local_hostname", "ds.meta_data.local_hostname"):
        for form in (f"{{{{ {name} }}}}", f"{{{{{name}}}}}"):
            text = text.replace(form, guest.computer_name)
    return text


class _Run:
    """One run of cloud-init."""

    def __init__(self, guest: Guest, sink: Sink) -> None:
        self._guest = guest
        self._sink = sink
        self.failures: list[str] = []

    def fail(self, why: str) -> None:
        """Note a failure."""
        self.failures.append(why)
        with contextlib.suppress(ShellSyntaxError):
            self._sink.write(f"{why}\n")

    async def config(self, config: Mapping[str, Any]) -> None:
        """Work through a cloud-config document."""
        files = [item for item in _items(config, "write_files") if isinstance(item, Mapping)]
        if commands := _items(config, "bootcmd"):
            await self.script("bootcmd", _script(commands))
        self._write(item for item in files if not item.get("defer"))
        await self._install(config)
        self._write(item for item in files if item.get("defer"))
        if commands := _items(config, "runcmd"):
            await self.script("runcmd", _script(commands))

    def _write(self, items: Any) -> None:
        for item in items:
            path, owner = str(item.get("path", "")), str(item.get("owner", "root:root"))
            known = owner.partition(":")[0] in ("root", "www-data")
            if not known and not item.get("defer"):
                # The users are made later, except those of the image.
                self.fail(f"write_files: unknown user or group: {owner} for {path}")
                continue
            content = _content(item)
            if item.get("append"):
                content = (self._guest.disk.read(path) or "") + content
            mode = item.get("permissions", 0o644)
            mode = int(mode, 8) if isinstance(mode, str) else int(mode)
            try:
                self._guest.disk.write(path, content, mode=mode, owner=owner)
            except OSError as error:
                self.fail(f"write_files: {path[:100]}: {error.strerror}")

    async def _install(self, config: Mapping[str, Any]) -> None:
        names = [str(item[0] if isinstance(item, list) else item) for item in _items(config, "packages")]
        if not names:
            return
        if not self._guest.network.reaches_internet():
            self.fail(f"packages could not be fetched: {' '.join(names)}")
            return
        try:
            await packages.install(self._guest, names)
        except OSError as error:
            self.fail(f"packages could not be installed: {error.strerror}")

    async def script(self, name: str, text: str) -> None:
        """Run a script as root; its exit code decides whether this part failed."""
        if name == "runcmd":
            with contextlib.suppress(OSError):
                self._guest.disk.write(RUNCMD, text, mode=0o700)
        streams = Streams(out=self._sink.write, err=self._sink.write)
        if code := await Shell(self._guest, "root").run(text, streams):
            self.fail(f"{name} ended with exit code {code}")


def _items(config: Mapping[str, Any], key: str) -> list[Any]:
    value = config.get(key)
    return value if isinstance(value, list) else []


def _script(commands: list[Any]) -> str:
    """Commands as cloud-init writes them into one script: a text as it stands, a list quoted."""
    lines = [shlex.join(map(str, item)) if isinstance(item, list) else str(item) for item in commands]
    return "#!/bin/sh\n" + "".join(f"{line}\n" for line in lines)


def _content(item: Mapping[str, Any]) -> str:
    content, encoding = str(item.get("content", "")), str(item.get("encoding", ""))
    if encoding in ("b64", "base64"):
        return base64.b64decode(content).decode("utf-8", "surrogateescape")
    if encoding.startswith(("gz", "gzip")):
        return _unpacked(base64.b64decode(content)).decode("utf-8", "surrogateescape")
    return content
