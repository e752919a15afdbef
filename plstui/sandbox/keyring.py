"""Every secret of a sandbox, from one: whoever keeps that one has the same keys again after a restart."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Keyring:
    """Secrets by what they are for: the same every time from the same seed, and none tells of another."""

    seed: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def secret(self, purpose: str) -> bytes:
        """32 bytes."""
        return hmac.digest(self.seed, purpose.encode(), hashlib.sha256)

    def password(self, purpose: str) -> str:
        """A secret as letters, digits, `-` and `_`."""
        return base64.urlsafe_b64encode(self.secret(purpose)).decode().rstrip("=")

    def guid(self, purpose: str) -> str:
        """A guid."""
        return str(UUID(bytes=self.secret(purpose)[:16], version=4))

    def ssh_key(self, purpose: str) -> tuple[str, str]:
        """A key for SSH: the private half as OpenSSH's file, the public half as one line without a comment."""
        key = Ed25519PrivateKey.from_private_bytes(self.secret(purpose))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return private.decode(), public.decode()
