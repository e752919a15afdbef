"""Which properties appear only from an api-version on.

Bodies are kept with everything; an answer leaves out what its api-version does not know. Read off recorded answers of
the same resources under different api-versions; a property that is not here has been there all along.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from plstui.sandbox.providers import versions
from plstui.sandbox.store import Body

_N = "microsoft.network/"
_RULE_FLAGS = {
    "properties.enableDestinationServiceEndpoint": "2018-01-01",
    "properties.enableTcpReset": "2018-07-01",
    "properties.allowBackendPortConflict": "2018-07-01",
}
_SECURITY_LISTS = {
    f"properties.{name}": "2017-06-01"
    for name in ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes")
}

SINCE: dict[str, dict[str, str]] = {
    _N + "virtualnetworks": {
        "properties.addressSpace.ipamPoolPrefixAllocations": "2024-01-01",
        "properties.privateEndpointVNetPolicies": "2024-03-01",
        "properties.enableDdosProtection": "2017-09-01",
        "properties.enableVmProtection": "2020-05-01",
        "properties.virtualNetworkPeerings": "2016-06-01",
        "properties.encryption": "2021-05-01",
    },
    _N + "virtualnetworks/subnets": {
        "properties.delegations": "2018-04-01",
        "properties.privateEndpointNetworkPolicies": "2019-04-01",
        "properties.privateLinkServiceNetworkPolicies": "2019-04-01",
        "properties.purpose": "2021-02-01",
        "properties.ipamPoolPrefixAllocations": "2024-01-01",
    },
    _N + "virtualnetworks/virtualnetworkpeerings": {
        "properties.peeringSyncLevel": "2021-03-01",
        "properties.remoteVirtualNetworkAddressSpace": "2021-02-01",
        "properties.peerCompleteVnets": "2022-01-01",
        "properties.remoteAddressSpace.ipamPoolPrefixAllocations": "2023-11-01",
        "properties.remoteVirtualNetworkAddressSpace.ipamPoolPrefixAllocations": "2023-11-01",
    },
    _N + "networkinterfaces": {
        "kind": "2021-03-01",
        "properties.enableAcceleratedNetworking": "2016-09-01",
        "properties.hostedWorkloads": "2018-08-01",
        "properties.tapConfigurations": "2018-08-01",
        "properties.nicType": "2020-03-01",
        "properties.vnetEncryptionSupported": "2020-11-01",
        "properties.allowPort25Out": "2021-03-01",
        "properties.auxiliaryMode": "2022-01-01",
        "properties.auxiliarySku": "2022-07-01",
        "properties.disableTcpStateTracking": "2022-07-01",
        "properties.defaultOutboundConnectivityEnabled": "2024-03-01",
    },
    _N + "networkinterfaces/ipconfigurations": {"properties.privateIPAddressVersion": "2016-09-01"},
    _N + "publicipaddresses": {"properties.ddosSettings": "2022-05-01", "sku.tier": "2020-07-01"},
    _N + "loadbalancers": {"properties.outboundRules": "2018-07-01", "sku.tier": "2020-07-01"},
    _N + "loadbalancers/frontendipconfigurations": {"properties.privateIPAddressVersion": "2019-06-01"},
    _N + "loadbalancers/backendaddresspools": {"properties.loadBalancerBackendAddresses": "2020-04-01"},
    _N + "loadbalancers/loadbalancingrules": {
        **_RULE_FLAGS,
        "properties.backendAddressPools": "2021-02-01",
        "properties.disableOutboundSnat": "2017-10-01",
        "properties.enableConnectionTracking": "2023-11-01",
    },
    _N + "loadbalancers/probes": {
        "properties.probeThreshold": "2022-05-01",
        "properties.noHealthyBackendsBehavior": "2024-03-01",
    },
    _N + "loadbalancers/inboundnatrules": _RULE_FLAGS,
    _N + "loadbalancers/inboundnatpools": {
        **_RULE_FLAGS,
        "properties.enableFloatingIP": "2018-01-01",
        "properties.idleTimeoutInMinutes": "2018-01-01",
    },
    _N + "networksecuritygroups/securityrules": _SECURITY_LISTS,
    _N + "networksecuritygroups/defaultsecurityrules": _SECURITY_LISTS,
    _N + "privateendpoints": {
        "properties.customDnsConfigs": "2020-03-01",
        "properties.ipConfigurations": "2021-03-01",
        "properties.customNetworkInterfaceName": "2021-05-01",
    },
    _N + "privatelinkservices/privateendpointconnections": {"properties.privateEndpointLocation": "2022-11-01"},
}
"""By type in lower case: paths in a body and the api-version that shows them first."""

UNTIL: dict[str, dict[str, str]] = {
    _N + "virtualnetworks": {"properties.enableVmProtection": "2020-11-01"},
}
"""By type in lower case: paths and the api-version that no longer shows them."""

BESIDE: dict[str, tuple[str, str, str]] = {
    _N + "loadbalancers/frontendipconfigurations": ("privateIPAddressVersion", "publicIPAddress", "2022-01-01"),
}
"""By type in lower case: a property, another beside which it is not shown, and since when."""


@lru_cache(maxsize=64)
def _hidden(date: str) -> dict[str, tuple[versions.Path, ...]]:
    """By type: the paths that an api-version does not show."""
    kinds = SINCE.keys() | UNTIL.keys()
    return {kind: versions.hidden(SINCE.get(kind, {}), UNTIL.get(kind, {}), date) for kind in kinds}


def shape(body: Body, api_version: str) -> Body:
    """A body as an api-version shows it. Bodies are never changed: what differs is copied."""
    return _shape(body, api_version[:10])


def _shape(body: Body, date: str) -> Body:
    shown, kind = dict(body), str(body.get("type", "")).lower()
    if isinstance(properties := body.get("properties"), dict):
        shown["properties"] = {name: _inner(value, date) for name, value in properties.items()}
        name, beside, since = BESIDE.get(kind, ("", "", "9"))
        if date >= since and beside in properties:
            shown["properties"].pop(name, None)
    for path in _hidden(date).get(kind, ()):
        versions.drop(shown, path)
    return shown


def _inner(value: Any, date: str) -> Any:
    """Sub-resources in an array, shaped; anything else as it is."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "type" in value[0]:
        return [_shape(item, date) for item in value]
    return value
