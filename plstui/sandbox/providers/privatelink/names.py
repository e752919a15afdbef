"""The names that go with an endpoint: those of a platform service, or those that a private link service was given."""

from __future__ import annotations

from plstui.domain.ids import ResourceId
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.privatelink.lookup import APPROVED, find_service, requests_of
from plstui.sandbox.store import Body, Store

PLATFORM: dict[tuple[str, str], str] = {
    ("microsoft.storage/storageaccounts", "blob"): "blob.core.windows.net",
    ("microsoft.storage/storageaccounts", "file"): "file.core.windows.net",
    ("microsoft.storage/storageaccounts", "queue"): "queue.core.windows.net",
    ("microsoft.storage/storageaccounts", "table"): "table.core.windows.net",
    ("microsoft.storage/storageaccounts", "web"): "web.core.windows.net",
    ("microsoft.storage/storageaccounts", "dfs"): "dfs.core.windows.net",
    ("microsoft.keyvault/vaults", "vault"): "vault.azure.net",
    ("microsoft.sql/servers", "sqlserver"): "database.windows.net",
    ("microsoft.documentdb/databaseaccounts", "sql"): "documents.azure.com",
    ("microsoft.dbforpostgresql/servers", "postgresqlserver"): "postgres.database.azure.com",
    ("microsoft.dbformysql/servers", "mysqlserver"): "mysql.database.azure.com",
    ("microsoft.containerregistry/registries", "registry"): "azurecr.io",
    ("microsoft.appconfiguration/configurationstores", "configurationstores"): "azconfig.io",
    ("microsoft.web/sites", "sites"): "azurewebsites.net",
    ("microsoft.eventhub/namespaces", "namespace"): "servicebus.windows.net",
    ("microsoft.servicebus/namespaces", "namespace"): "servicebus.windows.net",
    ("microsoft.search/searchservices", "searchservice"): "search.windows.net",
    ("microsoft.cognitiveservices/accounts", "account"): "cognitiveservices.azure.com",
    ("microsoft.cache/redis", "rediscache"): "redis.cache.windows.net",
    ("microsoft.signalrservice/signalr", "signalr"): "service.signalr.net",
    ("microsoft.devices/iothubs", "iothub"): "azure-devices.net",
}
"""By type and group in lower case: where the public names of a platform service end; from Microsoft's docs."""

_PRIVATE = "privatelink."
_RENAMED = {"vaultcore.azure.net": "vault.azure.net"}
"""Zones whose names are not the public ones with `privatelink.` in front."""


def platform_names(target: ResourceId, groups: list[str]) -> list[str]:
    """The public names of a resource of another provider, as far as they are known."""
    ends = (PLATFORM.get((target.type.lower(), group.lower())) for group in groups)
    return [f"{target.name.lower()}.{end}" for end in ends if end]


def dns_configs(store: Store, properties: Json) -> list[Body]:
    """What an endpoint with these properties shows as `customDnsConfigs`: nothing until it is approved.

    A name without a dot is none and does not appear: recorded with a service that had the names `fqdn1` and `fqdn2`.
    """
    names: list[tuple[str, list[str]]] = []
    addresses = addresses_of(store, properties)
    for request in requests_of(properties):
        asked = request["properties"]
        if asked["privateLinkServiceConnectionState"]["status"] != APPROVED:
            continue
        target = asked["privateLinkServiceId"]
        if service := find_service(store, target):
            names += [(name, addresses) for name in service["properties"]["fqdns"] if "." in name]
        else:
            # Further addresses of a platform service belong to members of it, which have names of their own.
            names += [(name, addresses[:1]) for name in platform_names(ResourceId(target), asked.get("groupIds") or [])]
    return [{"fqdn": name, "ipAddresses": own} for name, own in names]


def addresses_of(store: Store, properties: Json) -> list[str]:
    """The addresses of an endpoint, from its interface."""
    found: list[str] = []
    for reference in properties["networkInterfaces"]:
        nic = store.get(reference["id"])
        found += [c["properties"]["privateIPAddress"] for c in nic["properties"]["ipConfigurations"]] if nic else []
    return found


def record_name(fqdn: str, zone: str) -> str | None:
    """What a name is called in a zone; None when it is not in there."""
    end = zone.lower().removeprefix(_PRIVATE)
    end = _RENAMED.get(end, end)
    name = fqdn.lower().removesuffix("." + end)
    return None if name == fqdn.lower() else name
