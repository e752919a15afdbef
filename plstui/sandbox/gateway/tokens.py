"""Who may call: tenants with their subscriptions, clients with their secrets, and the tokens they get."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from plstui.sandbox.clock import SandboxClock
from plstui.sandbox.gateway.errors import unauthorized
from plstui.sandbox.gateway.messages import Request

TOKEN_SECONDS = 3599
"""How long a token is good, as Entra ID says it."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription and the tenant it belongs to."""

    id: str
    name: str
    tenant: str


@dataclass(frozen=True, slots=True)
class Client:
    """A service principal of one tenant."""

    client_id: str
    tenant: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    object_id: str = field(default_factory=lambda: str(uuid4()))
    reader: bool = False
    """Whether it may look and nothing else."""


@dataclass(slots=True)
class Directory:
    """Tenants, subscriptions and clients, and the tokens of the sandbox's own identity endpoint."""

    clock: SandboxClock
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    """By id in lower case."""
    clients: dict[str, Client] = field(default_factory=dict)
    """By client id in lower case."""
    expire_before: float = 0.0
    """Tokens issued before this time of day (seconds since the epoch) count as expired."""
    signing_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """What tokens are signed with."""

    def add_subscription(self, subscription: Subscription) -> None:
        """Make a subscription known."""
        self.subscriptions[subscription.id.lower()] = subscription

    def add_client(self, client: Client) -> None:
        """Make a service principal known."""
        self.clients[client.client_id.lower()] = client

    def expire_tokens(self) -> None:
        """Let every token issued so far count as expired."""
        self.expire_before = self.clock.now().timestamp()

    def tenants(self) -> set[str]:
        """Every tenant's id in lower case."""
        return {s.tenant.lower() for s in self.subscriptions.values()}

    def of_tenant(self, tenant: str) -> list[Subscription]:
        """A tenant's subscriptions."""
        return [s for s in self.subscriptions.values() if s.tenant.lower() == tenant.lower()]

    def issue(self, tenant: str, client_id: str, secret: str, audience: str) -> dict[str, Any]:
        """A token for a client, as the token endpoint answers it. Raises `TokenError`."""
        if tenant.lower() not in self.tenants():
            raise TokenError("invalid_request", f"AADSTS90002: Tenant '{tenant}' not found.")
        client = self.clients.get(client_id.lower())
        if client is None or client.tenant.lower() != tenant.lower():
            raise TokenError(
                "unauthorized_client",
                f"AADSTS700016: Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
            )
        if not hmac.compare_digest(client.secret.encode(), secret.encode()):
            raise TokenError("invalid_client", "AADSTS7000215: Invalid client secret provided.")
        issued = self.clock.now().timestamp()
        now = int(issued)
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{client.tenant}/",
            "iat": now,
            "nbf": now,
            "exp": now + TOKEN_SECONDS,
            "appid": client.client_id,
            "oid": client.object_id,
            "tid": client.tenant,
            "ver": "1.0",
            "xms_issued": issued,
        }
        return {
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "ext_expires_in": TOKEN_SECONDS,
            "access_token": self._sign(claims),
        }

    def _sign(self, claims: dict[str, Any]) -> str:
        head = _encode(json.dumps({"typ": "JWT", "alg": "HS256"}).encode())
        text = f"{head}.{_encode(json.dumps(claims).encode())}"
        return f"{text}.{_encode(hmac.digest(self.signing_key, text.encode(), hashlib.sha256))}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        text, _, signature = token.rpartition(".")
        if not hmac.compare_digest(_encode(hmac.digest(self.signing_key, text.encode(), hashlib.sha256)), signature):
            return None
        payload = text.partition(".")[2]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return claims

    def authenticate(self, request: Request) -> Client:
        """Who sends a request; raises the 401 of ARM when that is nobody."""
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        somewhere = next(iter(self.tenants()), "common")
        if not header:
            raise unauthorized(
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                somewhere,
                request.base_url,
            )
        claims = self._claims(token.strip()) if scheme.lower() == "bearer" and token.isascii() else None
        if claims is None:
            raise unauthorized(
                "InvalidAuthenticationToken", "The access token is invalid.", somewhere, request.base_url
            )
        now = self.clock.now()
        if claims["exp"] <= now.timestamp() or claims["xms_issued"] <= self.expire_before:
            withdrawn = self.expire_before if claims["xms_issued"] <= self.expire_before else now.timestamp()
            # The message has no fractions: what was withdrawn within this second would not be earlier.
            expiry = datetime.fromtimestamp(min(claims["exp"], withdrawn - 1), UTC)
            raise unauthorized(
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{expiry:%m/%d/%Y %I:%M:%S %p}' is earlier than current UTC time "
                f"'{now:%m/%d/%Y %I:%M:%S %p}'.",
                claims["tid"],
                request.base_url,
            )
        return self.clients[claims["appid"].lower()]

    def authorize(self, client: Client, subscription: Subscription, base_url: str) -> None:
        """Raise the 401 of ARM when the caller's tenant is not the subscription's."""
        if client.tenant.lower() != subscription.tenant.lower():
            raise unauthorized(
                "InvalidAuthenticationTokenTenant",
                f"The access token is from the wrong issuer 'https://sts.windows.net/{client.tenant}/'. It must match "
                f"the tenant 'https://sts.windows.net/{subscription.tenant}/' associated with this subscription. "
                f"Please use the authority (URL) 'https://login.windows.net/{subscription.tenant}' to get the token.",
                subscription.tenant,
                base_url,
            )


class TokenError(Exception):
    """The token endpoint's refusal, in OAuth's form."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 401 if self.error == "invalid_client" else 400

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {
            "error": self.error,
            "error_description": self.description,
            "error_codes": [],
            "correlation_id": str(uuid4()),
        }


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
