"""Microsoft.Network without private link and private DNS."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.network import lbparts
from plstui.sandbox.providers.network.asgs import ApplicationSecurityGroups
from plstui.sandbox.providers.network.loadbalancers import (
    BackendPools,
    InboundNatRules,
    LoadBalancers,
    LoadBalancingRules,
)
from plstui.sandbox.providers.network.natgateways import NatGateways
from plstui.sandbox.providers.network.nics import CONFIGURATION, Interfaces
from plstui.sandbox.providers.network.nsgs import TYPE as SECURITY_GROUP
from plstui.sandbox.providers.network.nsgs import SecurityGroups, SecurityRules
from plstui.sandbox.providers.network.peerings import Peerings
from plstui.sandbox.providers.network.polling import OperationResultsEndpoint, OperationsEndpoint
from plstui.sandbox.providers.network.publicips import PublicAddresses
from plstui.sandbox.providers.network.readonly import read_only
from plstui.sandbox.providers.network.subnets import Subnets
from plstui.sandbox.providers.network.usages import Usages
from plstui.sandbox.providers.network.vnets import VirtualNetworks

_READ_ONLY = (
    CONFIGURATION,
    f"{SECURITY_GROUP}/defaultSecurityRules",
    f"{lbparts.TYPE}/{lbparts.FRONTENDS}",
    f"{lbparts.TYPE}/{lbparts.PROBES}",
    f"{lbparts.TYPE}/{lbparts.OUTBOUND}",
)


def endpoints(azure: Azure) -> list[Endpoint]:
    """Every resource type in here."""
    kinds = (
        ApplicationSecurityGroups,
        BackendPools,
        InboundNatRules,
        Interfaces,
        LoadBalancers,
        LoadBalancingRules,
        NatGateways,
        OperationResultsEndpoint,
        OperationsEndpoint,
        Peerings,
        PublicAddresses,
        SecurityGroups,
        SecurityRules,
        Subnets,
        Usages,
        VirtualNetworks,
    )
    return [*(kind(azure) for kind in kinds), *(read_only(azure, kind) for kind in _READ_ONLY)]
