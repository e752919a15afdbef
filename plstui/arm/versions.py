"""The api-versions that are asked for. Pinned: a newer SDK must not change what Azure does."""

from __future__ import annotations

NETWORK_API = "2024-05-01"
"""The first version with the health query of load-balancing rules. From 2025-07-01 on, for one, new subnets have no
outbound access."""

COMPUTE_API = "2024-07-01"
"""A version whose LIST of all machines takes `$expand=instanceView`, for the power state."""

RESOURCES_API = "2024-07-01"
"""The version whose definition the reader was written from; of a group it needs name, place, state and tags."""

API_VERSIONS = {
    "microsoft.network/privatednszones": "2020-06-01",
    "microsoft.network/dnszones": "2018-05-01",
    "microsoft.network": NETWORK_API,
    "microsoft.compute/skus": "2021-07-01",
    "microsoft.compute": COMPUTE_API,
    "microsoft.authorization/locks": "2020-05-01",
    "microsoft.authorization": "2022-04-01",
    "microsoft.resources/subscriptions": "2022-12-01",
    "microsoft.resources": RESOURCES_API,
}
"""By the beginning of a type, the longest first where several fit."""


def api_version(kind: str) -> str:
    """The api-version for a full type, `Microsoft.Network/virtualNetworks`."""
    found = [prefix for prefix in API_VERSIONS if kind.lower().startswith(prefix)]
    return API_VERSIONS[max(found, key=len)] if found else RESOURCES_API
