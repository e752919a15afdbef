"""What a sandbox is known by to its clients, kept on its state directory: with it, a restart is the same sandbox."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import trustme

from plstui.sandbox.keyring import Keyring


@dataclass(slots=True)
class Kept:
    """Certificate authority, secrets and ports."""

    keyring: Keyring = field(default_factory=Keyring)
    authority: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="plstui sandbox"))
    port: int = 0
    """Where it serves; 0 when it has not served yet."""
    ssh_ports: dict[str, int] = field(default_factory=dict)
    """By machine's id in lower case, the port of its SSH server."""

    def to_json(self) -> dict[str, object]:
        """As a document; `from_json` reads it."""
        return {
            "seed": self.keyring.seed.hex(),
            "ca": self.authority.cert_pem.bytes().decode(),
            "ca_key": self.authority.private_key_pem.bytes().decode(),
            "port": self.port,
            "ssh_ports": self.ssh_ports,
        }

    @classmethod
    def from_json(cls, text: str) -> Kept:
        """Raises `ValueError` for anything that `to_json` has not made."""
        match json.loads(text):
            case {
                "seed": str(seed),
                "ca": str(certificate),
                "ca_key": str(key),
                "port": int(port),
                "ssh_ports": dict(ports),
            } if all(map(_is_port, (port, *ports.values()))):
                authority = trustme.CA.from_pem(certificate.encode(), key.encode())
                return cls(Keyring(bytes.fromhex(seed)), authority, port, ports)
        raise ValueError("not what a sandbox keeps")


def _is_port(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= 65535
