"""Who works with a sandbox: tenants, each with a subscription and those who can sign in to it."""

from __future__ import annotations

from dataclasses import dataclass

from plstui.sandbox.gateway.tokens import Client, Subscription
from plstui.sandbox.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Party:
    """A tenant with a subscription, an owner and a reader."""

    name: str
    subscription: Subscription
    owner: Client
    reader: Client


def make_party(name: str, title: str, digits: str, keyring: Keyring) -> Party:
    """A party whose ids repeat one or two hexadecimal digits.

    Ids are the same every time, so that a rehearsal's notes stay true; secrets are the keyring's.
    """
    head, tail = (digits * 8)[:8], (digits * 12)[:12]
    tenant = f"{head}-7e4a-4000-8000-{tail}"
    subscription = Subscription(f"{head}-5b5c-4000-8000-{tail}", title, tenant)

    def client(client_id: str, *, reader: bool = False) -> Client:
        secret, object_id = keyring.password(f"client {client_id}"), keyring.guid(f"object {client_id}")
        return Client(client_id, tenant, secret, object_id, reader)

    owner = client(f"{head}-c11e-4000-8000-{tail}")
    return Party(name, subscription, owner, client(f"{head}-4ead-4000-8000-{tail}", reader=True))
