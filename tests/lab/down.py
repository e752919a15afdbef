"""Taking the lab down in a test, and what it said."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from plstui.domain.sides import Side
from plstui.lab.inventory import Inventory, take_stock
from plstui.lab.parts import StepState
from plstui.lab.progress import Event, Kind
from plstui.lab.teardown import BOTH, Teardown
from tests.lab.rig import CUSTOMER_GROUP, ISV_GROUP, Rig

GROUPS = (ISV_GROUP, CUSTOMER_GROUP)
ENDPOINT, SERVICE = "saasPrivateEndpoint", "saasPrivateLinkService"
CONNECTIONS = "privateEndpointConnections"


class Down:
    """One run, and what it said."""

    def __init__(
        self, az: Rig, inventory: Inventory, confirmed: Collection[str] = GROUPS, sides: Collection[Side] = BOTH
    ) -> None:
        self.events: list[Event] = []
        self.teardown = Teardown(az.lab, inventory, self.events.append, sides=sides, confirmed=confirmed)

    def states(self) -> dict[int, StepState]:
        """Where each step stands, by its number."""
        return {status.step.number: status.state for status in self.teardown.statuses()}

    def writes(self) -> int:
        """How many writes were sent."""
        return sum(status.writes for status in self.teardown.statuses())

    def said(self, kind: Kind) -> list[str]:
        """The texts of the events of a kind."""
        return [event.text for event in self.events if event.kind is kind]


async def down(az: Rig, confirmed: Collection[str] = GROUPS, sides: Collection[Side] = BOTH) -> Down:
    """Take down what there is."""
    run = Down(az, await take_stock(az.lab), confirmed, sides)
    await run.teardown.down()
    return run


def without_guid(names: list[str]) -> list[str]:
    """Names of connections as their endpoints'; Azure makes up the rest."""
    return [
        name.partition(".")[0] + " at the service" if "." in name and "-pe." not in name else name for name in names
    ]


async def put_address(az: Rig, group: str, name: str) -> str:
    """Somebody else's public address in the ISV's subscription."""
    more: dict[str, Any] = {"sku": {"name": "Standard"}}
    properties = {"publicIPAllocationMethod": "Static"}
    return await az.account(Side.ISV).put(group, f"Network/publicIPAddresses/{name}", properties, **more)
