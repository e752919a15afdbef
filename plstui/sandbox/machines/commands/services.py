"""`systemctl` and its relatives."""

from __future__ import annotations

from plstui.sandbox.machines.services import Services
from plstui.sandbox.machines.shell.interpreter import NOT_FOUND, Shell, command
from plstui.sandbox.machines.shell.streams import Streams

_CHANGES = ("start", "stop", "restart", "reload", "reload-or-restart", "enable", "disable", "try-restart")


@command("systemctl")
async def systemctl(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Start, stop and ask after units."""
    options = [argument for argument in arguments if argument.startswith("-")]
    verb, *names = [argument for argument in arguments if not argument.startswith("-")] or ["list-units"]
    services = shell.guest.services
    if verb in ("daemon-reload", "reset-failed", "daemon-reexec"):
        return 0
    if verb in ("list-units", "list-unit-files"):
        streams.out("".join(f"{name} {services.state(name)}\n" for name in services.names()))
        return 0
    if verb in ("is-active", "is-enabled", "is-failed"):
        return _asked(services, verb, names, streams, quiet="-q" in options or "--quiet" in options)
    if verb == "status":
        return _status(services, names, streams)
    if verb not in _CHANGES:
        streams.err(f"systemctl {verb}: not in the sandbox\n")
        return NOT_FOUND
    if shell.user != "root":
        streams.err(f"Failed to {verb} {' '.join(names)}: Interactive authentication required.\n")
        return 1
    status = 0
    for name in names:
        await shell.spend()
        if services.unit(name) is None:
            streams.err(f"Failed to {verb} {_full(name)}: Unit {_full(name)} not found.\n")
            status = 5
        elif not await _change(shell, verb, name, now="--now" in options):
            streams.err(f"Job for {_full(name)} failed because the control process exited with error code.\n")
            status = 1
    return status


async def _change(shell: Shell, verb: str, name: str, *, now: bool) -> bool:
    services = shell.guest.services
    if verb == "enable":
        services.enable(name)
        return await services.start(name, shell.budget) if now else True
    if verb == "disable":
        services.disable(name)
        if now:
            await services.stop(name)
        return True
    if verb == "stop":
        await services.stop(name)
        return True
    if verb == "start":
        return await services.start(name, shell.budget)
    if verb == "try-restart" and services.state(name) != "active":
        return True
    return await services.restart(name, shell.budget)


def _asked(services: Services, verb: str, names: list[str], streams: Streams, *, quiet: bool) -> int:
    status = 1
    for name in names:
        if verb == "is-enabled":
            word = "enabled" if services.enabled(name) else "disabled"
            good = word == "enabled"
        else:
            word = services.state(name)
            good = word == ("failed" if verb == "is-failed" else "active")
        status = 0 if good else status
        if not quiet:
            streams.out(f"{word}\n")
    # 3 is systemd's word for a unit that does not run.
    return 3 if status and verb == "is-active" else status


def _status(services: Services, names: list[str], streams: Streams) -> int:
    status = 0
    for name in names:
        unit = services.unit(name)
        if unit is None:
            streams.err(f"Unit {_full(name)} could not be found.\n")
            return 4
        state = services.state(name)
        words = {"active": "active (running)", "inactive": "inactive (dead)", "failed": "failed (Result: exit-code)"}
        enabled = "enabled" if services.enabled(name) else "disabled"
        streams.out(
            f"{'●' if state == 'active' else '○'} {_full(name)} - {unit.value('unit', 'Description') or _full(name)}\n"
            f"     Loaded: loaded ({enabled})\n     Active: {words[state]}\n"
        )
        status = 0 if state == "active" else 3
    return status


@command("service")
async def service(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`service NAME VERB`, the older spelling."""
    return await systemctl(shell, list(reversed(arguments[:2])), streams)


@command("journalctl")
async def journalctl(_shell: Shell, _arguments: list[str], streams: Streams) -> int:
    """Nothing is kept."""
    streams.out("-- No entries --\n")
    return 0


def _full(name: str) -> str:
    return name if "." in name else f"{name}.service"
