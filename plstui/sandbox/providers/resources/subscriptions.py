"""Subscriptions, tenants and locations, as the caller's tenant sees them."""

from __future__ import annotations

from typing import Any

from plstui.sandbox.gateway.tokens import Directory, Subscription
from plstui.sandbox.providers.locations import REGIONS, Region


def subscription_body(subscription: Subscription) -> dict[str, Any]:
    """One subscription."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def subscriptions(directory: Directory, tenant: str) -> dict[str, Any]:
    """Every subscription of a tenant."""
    value = [subscription_body(subscription) for subscription in directory.of_tenant(tenant)]
    return {"value": value, "count": {"type": "Total", "value": len(value)}}


def tenants(tenant: str) -> dict[str, Any]:
    """The caller's tenant: a service principal is in one only."""
    domain = f"{tenant[:8]}.onmicrosoft.example"
    body = {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "countryCode": "NL",
        "displayName": domain,
        "domains": [domain],
        "defaultDomain": domain,
        "tenantCategory": "Home",
        "tenantType": "AAD",
    }
    return {"value": [body]}


def locations(subscription: str, api_version: str) -> dict[str, Any]:
    """Every region; zones are told from api-version 2022-12-01 on."""
    return {"value": [_location(region, subscription, api_version) for region in REGIONS.values()]}


def _location(region: Region, subscription: str, api_version: str) -> dict[str, Any]:
    start = f"/subscriptions/{subscription}/locations/"
    pair = [{"name": region.pair, "id": start + region.pair}] if region.pair else []
    body: dict[str, Any] = {
        "id": start + region.name,
        "name": region.name,
        "type": "Region",
        "displayName": region.display_name,
        "regionalDisplayName": f"({region.geography}) {region.display_name}",
        "metadata": {
            "regionType": "Physical",
            "regionCategory": "Recommended" if region.zones else "Other",
            "geography": region.geography,
            "geographyGroup": region.geography,
            "longitude": region.longitude,
            "latitude": region.latitude,
            "physicalLocation": region.place,
            "pairedRegion": pair,
        },
    }
    if region.zones and api_version >= "2022-12-01":
        body["availabilityZoneMappings"] = [
            {"logicalZone": str(zone), "physicalZone": f"{region.name}-az{zone}"} for zone in range(1, region.zones + 1)
        ]
    return body
