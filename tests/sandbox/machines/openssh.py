"""OpenSSH's client against the lab's machines."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox.fabric.lab import Lab


@dataclass(frozen=True)
class Done:
    """How a program ended."""

    exit_code: int
    stdout: bytes
    stderr: bytes


def configure(lab: Lab, folder: Path) -> Path:
    """Write a client configuration with key and known hosts; returns it."""
    key, known, config = folder / "key", folder / "known_hosts", folder / "config"
    key.write_bytes(lab.key.export_private_key())
    key.chmod(0o600)
    endpoints = lab.network.ssh_endpoints()
    known.write_text("".join(f"[127.0.0.1]:{each.port} {each.host_key}\n" for each in endpoints))
    config.write_text(
        "".join(
            f"Host {each.name}\n  HostName 127.0.0.1\n  Port {each.port}\n  User {each.user}\n" for each in endpoints
        )
        # Through a jump host a machine is known by its address in the network.
        + "Host 10.*\n  User azureuser\n  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n"
        + f"Host *\n  IdentityFile {key}\n  UserKnownHostsFile {known}\n"
        + "  IdentitiesOnly yes\n  StrictHostKeyChecking yes\n  BatchMode yes\n  LogLevel ERROR\n"
    )
    return config


async def run(*command: str, given: bytes = b"") -> Done:
    """Run a program with some input to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    stdout, stderr = await process.communicate(given)
    assert process.returncode is not None
    return Done(process.returncode, stdout, stderr)
