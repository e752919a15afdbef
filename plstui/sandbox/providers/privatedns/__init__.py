"""Private DNS: zones, their links to virtual networks, record sets, and the records that machines get by themselves."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.privatedns.links import VirtualNetworkLinks
from plstui.sandbox.providers.privatedns.operations import OperationResults, OperationStatuses
from plstui.sandbox.providers.privatedns.records import AllRecordSets, record_sets
from plstui.sandbox.providers.privatedns.recordtypes import RECORD_TYPES
from plstui.sandbox.providers.privatedns.registration import Registration
from plstui.sandbox.providers.privatedns.zones import Zones


def endpoints(azure: Azure) -> list[Endpoint]:
    """The endpoints of private DNS; machines of linked networks are registered from now on."""
    azure.store.subscribe(Registration(azure.store).on_change)
    return [
        Zones(azure),
        VirtualNetworkLinks(azure),
        AllRecordSets(azure),
        *(record_sets(azure, record_type) for record_type in RECORD_TYPES.values()),
        OperationStatuses(azure),
        OperationResults(azure),
    ]
