"""Machines for tests: the network they stand in, and the requests that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from plstui.sandbox.azure import Azure
from plstui.sandbox.latency import Latency
from plstui.sandbox.ports import CommandOutput, MemberHealth, SshEndpoint
from plstui.sandbox.providers import compute, network
from tests.sandbox.support import Principal, Sandbox, sandbox

COMPUTE = "2024-07-01"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE8Yb0pXGo0nQ4Yf1s2W7o0m5s0aQk7mQm1o2c3d4e5f me"
UBUNTU = {"publisher": "Canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
WINDOWS = {
    "publisher": "MicrosoftWindowsServer",
    "offer": "WindowsServer",
    "sku": "2019-Datacenter",
    "version": "latest",
}
EXPANDED = "?$expand=instanceView"


@dataclass
class Agents:
    """The agents of all machines: they note what they are to run and answer what they were told to."""

    ran: list[tuple[str, str]] = field(default_factory=list)
    answer: CommandOutput = field(default_factory=lambda: CommandOutput(0, "out\n", ""))
    gone: bool = False

    def rule_health(self, rule_id: str) -> Sequence[MemberHealth]:
        return ()

    async def run_command(self, vm_id: str, script: str) -> CommandOutput:
        if self.gone:
            raise KeyError(vm_id)
        self.ran.append((vm_id, script))
        return self.answer

    def ssh_endpoints(self) -> Sequence[SshEndpoint]:
        return ()


@dataclass
class Place:
    """A sandbox with a group and a subnet in it."""

    sandbox: Sandbox
    agents: Agents
    isv: Principal
    group: str

    async def nic(self, name: str, **more: Any) -> str:
        """An interface in the subnet; its id."""
        subnet = f"{self.group}/providers/Microsoft.Network/virtualNetworks/net/subnets/saas"
        body = {
            "location": "westeurope",
            "properties": {"ipConfigurations": [{"name": "ipconfig1", "properties": {"subnet": {"id": subnet}}}]},
        }
        path = f"{self.group}/providers/Microsoft.Network/networkInterfaces/{name}"
        await self.isv.put(path, body | more)
        return path

    def vm(self, name: str = "web1") -> str:
        """The id of a machine."""
        return f"{self.group}/providers/Microsoft.Compute/virtualMachines/{name}"

    async def machine(self, name: str = "web1", **more: Any) -> dict[str, Any]:
        """A machine with an interface of its own, made to its end."""
        body = request(await self.nic(f"{name}-nic"), **more)
        made: dict[str, Any] = await self.isv.put(self.vm(name), body, api_version=COMPUTE)
        return made


async def place(latency: Latency = Latency.NONE) -> Place:
    """A place for machines."""
    agents = Agents()
    azure = Azure(latency=latency, backplane=agents)
    made = sandbox([*network.endpoints(azure), *compute.endpoints(azure)], azure=azure)
    group = made.isv.group("web")
    await made.isv.put(group, {"location": "westeurope"})
    net = {
        "location": "westeurope",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
            "subnets": [{"name": "saas", "properties": {"addressPrefix": "10.0.1.0/24"}}],
        },
    }
    await made.isv.put(f"{group}/providers/Microsoft.Network/virtualNetworks/net", net)
    return Place(made, agents, made.isv, group)


def request(nic: str, *, properties: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A machine as the lab asks for it."""
    linux = {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"keyData": KEY}]}}
    return {
        "location": "westeurope",
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_B2s"},
            "storageProfile": {"imageReference": UBUNTU, "osDisk": {"createOption": "fromImage", "name": None}},
            "osProfile": {"computerName": "web1", "adminUsername": "azureuser", "linuxConfiguration": linux},
            "networkProfile": {"networkInterfaces": [{"id": nic, "properties": {"deleteOption": None}}]},
            **(properties or {}),
        },
        **more,
    }


def codes(view: Any) -> list[str]:
    """The codes of an instance view's statuses."""
    return [status["code"] for status in view["statuses"]]


async def power(at: Place, name: str = "web1") -> str:
    """Whether a machine runs, as its instance view says: `running`, `stopped`, …"""
    body = await at.isv.get(at.vm(name) + EXPANDED, api_version=COMPUTE)
    return codes(body["properties"]["instanceView"])[-1].partition("/")[2]
