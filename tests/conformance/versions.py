"""The api-versions of plstui's own clients."""

from __future__ import annotations

from plstui.arm.versions import COMPUTE_API, NETWORK_API, RESOURCES_API

OURS = {
    "microsoft.network/privatednszones": "2024-06-01",
    "microsoft.network": NETWORK_API,
    "microsoft.compute/disks": "2024-03-02",
    "microsoft.compute": COMPUTE_API,
    "microsoft.resources": RESOURCES_API,
    "resource": RESOURCES_API,
}
"""By the beginning of a type, in lower case; the first that fits. Types that our clients do not ask for: the newest."""


def version_for(kind: str, api_versions: dict[str, str], otherwise: str = RESOURCES_API) -> str:
    """The api-version for a type, or for the types that a path ends with."""
    lower = kind.lower().rpartition("/providers/")[2]
    return next((version for prefix, version in api_versions.items() if lower.startswith(prefix)), otherwise)
