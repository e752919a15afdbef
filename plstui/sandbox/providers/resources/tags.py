"""The tags that a subscription uses, with their values and how often each occurs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from plstui.sandbox.store import Store


def tag_names(store: Store, subscription: str) -> dict[str, Any]:
    """Every tag name of a subscription."""
    start = f"/subscriptions/{subscription.lower()}/"
    values: dict[str, Counter[str]] = {}
    for body in store:
        if body["id"].lower().startswith(start):
            for name, value in (body.get("tags") or {}).items():
                values.setdefault(name, Counter())[value] += 1
    root = f"/subscriptions/{subscription}/tagNames/"
    return {
        "value": [
            {
                "id": root + name,
                "tagName": name,
                "count": {"type": "Total", "value": counts.total()},
                "values": [
                    {
                        "id": f"{root}{name}/tagValues/{value}",
                        "tagValue": value,
                        "count": {"type": "Total", "value": count},
                    }
                    for value, count in counts.items()
                ],
            }
            for name, counts in values.items()
        ]
    }
