"""`sandbox serve`: a sandbox on an HTTPS port, with the files that clients attach by."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plstui.sandbox import azcli
from plstui.sandbox.azure import Azure
from plstui.sandbox.control import ROOT
from plstui.sandbox.ending import Ending
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.https import Handler, HttpsServer
from plstui.sandbox.gateway.messages import Request, Response
from plstui.sandbox.gateway.tokens import Client
from plstui.sandbox.kept import Kept
from plstui.sandbox.latency import Latency
from plstui.sandbox.parties import Party
from plstui.sandbox.sandbox import Sandbox
from plstui.sandbox.statedir import KEPT, StateDir, StateDirError
from plstui.sandbox.troubles import told, watch

JUMP = {"isv": "web1", "customer": "testVM"}
"""The machine that probes of a side start from."""


_NO_PORT = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
"""What the operating system says when it is the port that cannot be had."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What to serve, and where."""

    world: str
    port: int | None = None
    """0 for any that is free; None for that of the sandbox that was in the folder before, if there was one."""
    state_dir: Path | None = None
    keep: bool = False
    """Whether a clean stop, too, leaves what the next sandbox in the folder comes back with."""
    latency: str = Latency.NONE
    web_user_data: str = ""
    """cloud-init of a backend."""
    client_user_data: str = ""
    """cloud-init of the customer's test machine."""
    faults: Mapping[str, Any] | None = None
    """A plan of faults to begin with, as the control endpoint takes it."""
    until_stdin_closes: bool = False
    """Whether to stop when standard input ends: what a parent process that is gone looks like."""


class ServeError(Exception):
    """The sandbox cannot be served; the message is one sentence."""


async def serve(options: ServeOptions, on_ready: Callable[[str, Path], None]) -> None:
    """Serve until SIGINT, SIGTERM, the end of the terminal or that of standard input; `on_ready(address, folder)` is
    called once.

    Raises `ServeError` when the port is taken or the folder cannot be written.
    """
    loop = asyncio.get_running_loop()
    watch(loop)
    ending = Ending()
    ending.heed(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if options.until_stdin_closes:
        loop.add_reader(sys.stdin, _drain, ending)
    folder, before = _open(options.state_dir)
    ending.last_resort = folder.remove
    # One that does not get to serve takes nothing with it that was there before.
    folder.keep, kept = before is not None, before or Kept()
    sandbox = Sandbox(Azure(latency=Latency(options.latency), keyring=kept.keyring))
    built = asyncio.Event()
    server = HttpsServer(_once(built, sandbox.handle), kept.authority)
    try:
        await _listen(server, options.port, kept)
        await _build(folder, sandbox, kept, options)
        # What has been built stays: no later collection need look through it, which takes a while in a large world.
        gc.freeze()
        arm = f"https://127.0.0.1:{server.port}"
        _write_files(folder, sandbox, server, arm)
        if options.faults is not None:
            await _load_faults(sandbox, options.faults)
        built.set()
        folder.keep = options.keep
        on_ready(arm, folder.path)
        await ending.wait()
    finally:
        sandbox.network.on_machines_changed = lambda: None
        # First nobody gets in any more, then what is running ends, and the secrets go whatever happens to the rest.
        try:
            await server.stop()
            await sandbox.stop()
        finally:
            folder.remove()


def _open(path: Path | None) -> tuple[StateDir, Kept | None]:
    """The folder, and what a sandbox that was in it before has left to come back with. Raises `ServeError`."""
    try:
        folder = StateDir.open(path)
    except OSError as error:
        named = f"The folder {path}" if path else "The folder for temporary files"
        raise ServeError(f"{named} cannot be used: {error.strerror}.") from None
    except StateDirError as error:
        raise ServeError(str(error)) from None
    try:
        text = folder.read(KEPT)
        return folder, None if text is None else Kept.from_json(text)
    except (OSError, ValueError):
        folder.keep = True
        folder.remove()
        raise ServeError(
            f"{folder.path / KEPT} is not what a sandbox leaves there; remove it to begin with new keys."
        ) from None


def _once(built: asyncio.Event, handler: Handler) -> Handler:
    """Let requests wait for the world: who comes back after a crash sees no half of it."""

    async def handle(request: Request) -> Response:
        await built.wait()
        return await handler(request)

    return handle


async def _listen(server: HttpsServer, port: int | None, kept: Kept) -> None:
    """Take the port that was asked for, or that of before. Raises `ServeError`."""
    wanted = kept.port if port is None else port
    try:
        await server.start(wanted)
    except OSError as error:
        if error.errno not in _NO_PORT:
            raise
        why = os.strerror(error.errno)
        if port is not None:
            raise ServeError(f"Port {port} on 127.0.0.1 cannot be used: {why}.") from None
        raise ServeError(
            f"Port {wanted} on 127.0.0.1, where this sandbox was before, cannot be used: {why}. "
            "End what uses it, or name another with --port."
        ) from None
    kept.port = server.port


async def _build(folder: StateDir, sandbox: Sandbox, kept: Kept, options: ServeOptions) -> None:
    """Fill the sandbox with its world, and write down where its machines are, then and whenever that changes."""
    sandbox.network.ssh_ports = dict(kept.ssh_ports)
    await sandbox.start()
    await sandbox.build(
        options.world,
        public_key=_write_key(folder, kept),
        web_user_data=options.web_user_data,
        client_user_data=options.client_user_data,
    )

    def machines_changed() -> None:
        endpoints = sandbox.network.ssh_endpoints()
        kept.ssh_ports = {**sandbox.network.ssh_ports, **{each.vm_id.lower(): each.port for each in endpoints}}
        folder.write_ssh(endpoints)
        folder.write_json(KEPT, kept.to_json())

    machines_changed()
    sandbox.network.on_machines_changed = told(
        machines_changed, f"How to reach the machines cannot be written to {folder.path}"
    )


async def _load_faults(sandbox: Sandbox, plan: Mapping[str, Any]) -> None:
    try:
        await sandbox.faults.load(plan)
    except ArmError as error:
        raise ServeError(f"The faults cannot be used: {error.message}") from None
    # A machine that hangs from the start is one that its balancer has noticed.
    await sandbox.network.settled()


def _drain(ending: Ending) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin)
        ending.when_ready()


def _write_key(folder: StateDir, kept: Kept) -> str:
    """Write the key that logs in to the machines; returns the public half as one line."""
    private, public = kept.keyring.ssh_key("machines")
    line = f"{public} plstui-sandbox"
    folder.write("id_ed25519", private)
    folder.write("id_ed25519.pub", line + "\n")
    return line


def _write_files(folder: StateDir, sandbox: Sandbox, server: HttpsServer, arm: str) -> None:
    parties = (sandbox.isv, sandbox.customer)
    folder.write("ca.pem", server.authority)
    for party in parties:
        folder.write(f"{party.name}.secret", party.owner.secret)
    config = folder.write("plstui.toml", _settings(folder, parties, arm))
    isv, customer = (azcli.Login(party.subscription, party.owner) for party in parties)
    azcli.write(folder, server.port, isv, customer, sandbox.azure.clock.now())
    folder.write_json(
        "ready.json",
        {
            "arm": arm,
            "ca": str(folder.path / "ca.pem"),
            "config": str(config),
            "pid": os.getpid(),
            "subscriptions": {party.name: party.subscription.id for party in parties},
            "tenants": {party.name: party.subscription.tenant for party in parties},
            "clients": {party.name: _credentials(party.owner) for party in parties},
            "readers": {party.name: _credentials(party.reader) for party in parties},
            "customers": [_customer(party) for party in sandbox.customers],
            "control": arm + ROOT,
            "control_token": sandbox.control.token,
        },
    )


def _credentials(client: Client) -> dict[str, str]:
    return {"client_id": client.client_id, "client_secret": client.secret}


def _customer(party: Party) -> dict[str, str]:
    """One of the customers besides the one whose side is shown: whoever wants to can be it."""
    subscription = party.subscription
    who = {"name": subscription.name, "subscription": subscription.id, "tenant": subscription.tenant}
    return {**who, **_credentials(party.owner)}


def _settings(folder: StateDir, parties: tuple[Party, ...], arm: str) -> str:
    """The settings file of a client: nothing in it that a user's own could not hold."""
    lines = ["[azure]", f'arm = "{arm}"', f"ca = {_toml(folder.path / 'ca.pem')}"]
    for party in parties:
        lines += [
            "",
            f"[{party.name}]",
            f'subscription = "{party.subscription.id}"',
            f'tenant = "{party.subscription.tenant}"',
            f'client_id = "{party.owner.client_id}"',
            f"client_secret_file = {_toml(folder.path / f'{party.name}.secret')}",
            "",
            f"[{party.name}.ssh]",
            f'jump = "{JUMP[party.name]}"',
            f"ssh_config = {_toml(folder.path / 'ssh_config')}",
            f"known_hosts = {_toml(folder.path / 'known_hosts')}",
        ]
    # The machines that a client makes here are signed in to with the sandbox's key, as those of its worlds are.
    lines += ["", "[lab]", f"public_key = {_toml(folder.path / 'id_ed25519.pub')}"]
    return "\n".join(lines) + "\n"


def _toml(path: Path) -> str:
    """A path as a TOML string; JSON's escapes are TOML's too, but for those beyond 16 bits."""
    return json.dumps(str(path), ensure_ascii=False)
