"""Customers of an ISV, all made up: what they are called, what they have, what they write when they ask."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from plstui.sandbox.account import Account


@dataclass(frozen=True, slots=True)
class Company:
    """One customer."""

    name: str
    location: str
    """The region it works in."""

    @property
    def slug(self) -> str:
        """Its name as it stands in the names of its resources."""
        return "-".join(self.name.lower().replace("&", "and").split())


COMPANIES = (
    Company("Alder & Finch Legal", "uksouth"),
    Company("Amberline Freight", "westeurope"),
    Company("Aurelis Pharma", "switzerlandnorth"),
    Company("Baltic Grid Services", "polandcentral"),
    Company("Bluepeak Insurance", "eastus"),
    Company("Brightwater Utilities", "uksouth"),
    Company("Calder Robotics", "germanywestcentral"),
    Company("Cedarstone Credit Union", "canadacentral"),
    Company("Copperfield Dairies", "northeurope"),
    Company("Delta Quay Terminals", "westeurope"),
    Company("Dunmore Aviation", "northeurope"),
    Company("Eastmarch University", "uksouth"),
    Company("Elmridge Hospitals", "eastus2"),
    Company("Fjordline Ferries", "norwayeast"),
    Company("Foxglove Games", "swedencentral"),
    Company("Glasshouse Architects", "francecentral"),
    Company("Granite Bay Mining", "australiaeast"),
    Company("Harbourlight Hotels", "southeastasia"),
    Company("Hollowell Foods", "centralus"),
    Company("Ironbridge Steel", "uksouth"),
    Company("Juniper Lane Retail", "westus2"),
    Company("Kestrel Telecom", "southafricanorth"),
    Company("Kitefield Solar", "spaincentral"),
    Company("Larkspur Media", "westus3"),
    Company("Lindqvist Timber", "swedencentral"),
    Company("Lumen Street Theatre", "francecentral"),
    Company("Marigold Pensions", "westeurope"),
    Company("Meridian Rail Freight", "germanywestcentral"),
    Company("Millbrook Textiles", "italynorth"),
    Company("Nightjar Security", "eastus"),
    Company("Northgate Logistics", "westeurope"),
    Company("Old Mill Brewery", "germanywestcentral"),
    Company("Orchard Row Schools", "australiaeast"),
    Company("Pinewood Diagnostics", "canadacentral"),
    Company("Quarry Hill Cement", "polandcentral"),
    Company("Redfern Motor Parts", "centralus"),
    Company("Saltmarsh Fisheries", "norwayeast"),
    Company("Silverbirch Bank", "switzerlandnorth"),
    Company("Thornbury Chemicals", "westeurope"),
)

_PEOPLE = ("Amira", "Bastian", "Chiara", "Dmitri", "Esi", "Farid", "Greta", "Hugo", "Ingrid", "Jonas", "Kemi", "Lucía")

_MESSAGES = (
    "Customer: {name}, Order no.: {number}",
    "{name}, contract C-{number}. Please approve, thank you! {person}",
    "Hi, {person} of {name} here. We signed last week (PO {number}), please let us in.",
    "[{name}] change CHG{number}: connect our hub network",
    "{name}: replaces the endpoint of ticket {number}, which we have deleted",
    "Requested by {person} for {name}; project number {number}",
)


def message(company: Company, random: Random) -> str:
    """What a customer writes with a request: under 140 characters."""
    number = random.randrange(100_000, 1_000_000)
    return random.choice(_MESSAGES).format(name=company.name, number=number, person=random.choice(_PEOPLE))


async def set_up(account: Account, company: Company) -> str:
    """Give a customer a group with a network; returns the id of the subnet, which has room for a thousand endpoints.

    Raises `WorldError`.
    """
    group = f"{company.slug}-rg"
    await account.put_group(group, company.location)
    network = await account.put(
        group,
        "Network/virtualNetworks/hub-vnet",
        {
            "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
            "subnets": [{"name": "endpoints", "properties": {"addressPrefix": "10.1.0.0/22"}}],
        },
        location=company.location,
    )
    return f"{network}/subnets/endpoints"
