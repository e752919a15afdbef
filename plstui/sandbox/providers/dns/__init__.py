"""Azure DNS: public zones and their record sets of the types that the lab meets."""

from __future__ import annotations

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway.call import Endpoint
from plstui.sandbox.providers.dns.records import KINDS, AllRecordSets, record_sets
from plstui.sandbox.providers.dns.zones import Zones
from plstui.sandbox.providers.privatedns.operations import OperationResults, OperationStatuses


class ZoneOperationStatuses(OperationStatuses):
    """The same as for private zones, at an address of its own."""

    type = "Microsoft.Network/dnsOperationStatuses"


class ZoneOperationResults(OperationResults):
    """The same as for private zones, at an address of its own."""

    type = "Microsoft.Network/dnsOperationResults"


def endpoints(azure: Azure) -> list[Endpoint]:
    """The endpoints of Azure DNS."""
    return [
        Zones(azure),
        *(AllRecordSets.at(azure, word) for word in ("recordsets", "all")),
        *(record_sets(azure, kind) for kind in KINDS.values()),
        ZoneOperationStatuses(azure),
        ZoneOperationResults(azure),
    ]
