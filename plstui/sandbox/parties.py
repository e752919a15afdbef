"""Who works with a sandbox: tenants, each with a subscription and those who can sign in to it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from plstui.sandbox.gateway.tokens import Client, Subscription


@dataclass(frozen=True, slots=True)
class Party:
    """A tenant with a subscription, an owner and a reader."""

    name: str
    subscription: Subscription
    owner: Client
    reader: Client


def make_party(name: str, title: str, digits: str) -> Party:
    """A party whose ids repeat one or two hexadecimal digits.

    Ids are the same every time, so that a rehearsal's notes stay true; secrets never are.
    """
    head, tail = (digits * 8)[:8], (digits * 12)[:12]
    tenant = f"{head}-7e4a-4000-8000-{tail}"
    subscription = Subscription(f"{head}-5b5c-4000-8000-{tail}", title, tenant)
    owner = Client(f"{head}-c11e-4000-8000-{tail}", tenant, object_id=str(uuid4()))
    reader = Client(f"{head}-4ead-4000-8000-{tail}", tenant, object_id=str(uuid4()), reader=True)
    return Party(name, subscription, owner, reader)
