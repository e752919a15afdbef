"""The az lines that a diagnosis gives, in a real shell with the real az: each mends what it says it mends."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from plstui.cli.session import read_both
from plstui.compose import Composer, Options
from plstui.domain.findings import diagnose
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.targets import targets
from plstui.engine.runtime import Runtime
from tests.conformance.az import PATIENCE, Az, find_az
from tests.support.served import Served, serve

AZ = find_az()

pytestmark = [
    pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another one"),
    pytest.mark.timeout(400),
]

ISV, CUSTOMER = "privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg"
COMPUTE, DNS, RESOURCES = "2024-07-01", "2020-06-01", "2022-09-01"
OTHER = "99999999-9999-4999-8999-999999999999"
Result = TypeVar("Result")

ROUNDS = 6
"""Remedies after one another that a world may take."""


@dataclass(frozen=True)
class Patient:
    """A served lab, and the az that mends it."""

    served: Served
    az: Az

    def id_of(self, side: str, kind: str) -> str:
        """The id of something of the lab."""
        group = ISV if side == "isv" else CUSTOMER
        return f"/subscriptions/{self.served.ready['subscriptions'][side]}/resourceGroups/{group}/providers/{kind}"

    def network(self, kind: str) -> str:
        """The id of something in the ISV's network."""
        return self.id_of("isv", f"Microsoft.Network/{kind}")

    def change(self, resource_id: str, change: Callable[[dict[str, Any]], None]) -> None:
        """Break something of the ISV's."""
        body = self.served.arm("isv", "GET", resource_id)
        change(body["properties"])
        self.served.arm("isv", "PUT", resource_id, body)

    def findings(self) -> list[Finding]:
        """What the doctor finds wrong."""

        async def examined(runtime: Runtime) -> tuple[Finding, ...]:
            return diagnose(await runtime.doctor().examine())

        return [finding for finding in self._with_plstui(examined) if finding.severity is not Severity.INFO]

    def comes(self) -> bool:
        """Whether the page comes from everywhere."""

        async def probed(runtime: Runtime) -> bool:
            await read_both(runtime)
            return all([result.ok async for result in runtime.prober.probe(targets(runtime.world()), 2)])

        return self._with_plstui(probed)

    def _with_plstui(self, work: Callable[[Runtime], Awaitable[Result]]) -> Result:
        async def session() -> Result:
            runtime = await Composer(Options(config=self.served.config)).connect()
            try:
                return await work(runtime)
            finally:
                await runtime.close()

        return asyncio.run(session())

    def mend(self) -> list[str]:
        """Type the az line of whatever is first into a shell, until nothing is wrong; which rules it took."""
        rules: list[str] = []
        while wrong := self.findings():
            assert len(rules) < ROUNDS, rules
            rules.append(wrong[0].rule)
            self.type(wrong[0].az)
        return rules

    def type(self, line: str) -> str:
        """What one line prints in a shell where `az` is the real one; it must succeed."""
        environ = {**self.az.environ, "PATH": f"{Path(self.az.program).parent}:{self.az.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", line],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Patient]:
    """One lab for all: whoever breaks it also mends it."""
    with serve(tmp_path_factory.mktemp("sandbox"), "approved") as served:
        assert AZ is not None
        yield Patient(served, Az.of(served, AZ))


def reject(patient: Patient) -> None:
    (connection,) = patient.served.arm("isv", "GET", patient.network("privateLinkServices/saasPrivateLinkService"))[
        "properties"
    ]["privateEndpointConnections"]
    connection["properties"]["privateLinkServiceConnectionState"]["status"] = "Rejected"
    patient.served.arm("isv", "PUT", connection["id"], connection)


def disconnect(patient: Patient) -> None:
    # A service that was withdrawn is made again under another name.
    (service,) = patient.served.arm("isv", "GET", patient.network("privateLinkServices"))["value"]
    patient.served.arm("isv", "DELETE", service["properties"]["privateEndpointConnections"][0]["id"])


def close_port(patient: Patient) -> None:
    closed = {
        "priority": 200,
        "direction": "Inbound",
        "access": "Deny",
        "protocol": "Tcp",
        "sourceAddressPrefix": "VirtualNetwork",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "80",
    }
    patient.change(
        patient.network("networkSecurityGroups/networkSecurityGroup"),
        lambda group: group["securityRules"].append({"name": "closed", "properties": closed}),
    )


def probe_elsewhere(patient: Patient) -> None:
    patient.change(
        patient.network("loadBalancers/loadBalancer"),
        lambda balancer: balancer["probes"][0]["properties"].update(port=8080),
    )


def forget_probe(patient: Patient) -> None:
    patient.change(
        patient.network("loadBalancers/loadBalancer"),
        lambda balancer: balancer["loadBalancingRules"][0]["properties"].pop("probe"),
    )


def forget_rule(patient: Patient) -> None:
    patient.change(
        patient.network("loadBalancers/loadBalancer"), lambda balancer: balancer["loadBalancingRules"].clear()
    )


def leave_pool(patient: Patient) -> None:
    for number in (1, 2, 3):
        patient.change(patient.network(f"networkInterfaces/web{number}-nic"), _out_of_pool)


def _out_of_pool(nic: dict[str, Any]) -> None:
    nic["ipConfigurations"][0]["properties"].pop("loadBalancerBackendAddressPools")


def leave_one(patient: Patient) -> None:
    patient.change(patient.network("networkInterfaces/web2-nic"), _out_of_pool)


def leave_asg(patient: Patient) -> None:
    patient.change(
        patient.network("networkInterfaces/web2-nic"),
        lambda nic: nic["ipConfigurations"][0]["properties"].pop("applicationSecurityGroups"),
    )


def list_addresses(patient: Patient) -> None:
    leave_pool(patient)
    network = {"id": patient.network("virtualNetworks/virtualNetwork")}
    listed = [
        {"name": f"a{last}", "properties": {"ipAddress": f"10.0.1.{last}", "virtualNetwork": network}}
        for last in (4, 5, 6)
    ]
    patient.change(
        patient.network("loadBalancers/loadBalancer"),
        lambda balancer: balancer["backendAddressPools"][0]["properties"].update(loadBalancerBackendAddresses=listed),
    )


def speak_proxy(patient: Patient) -> None:
    patient.change(
        patient.network("privateLinkServices/saasPrivateLinkService"),
        lambda service: service.update(enableProxyProtocol=True),
    )


def hide(patient: Patient) -> None:
    patient.change(
        patient.network("privateLinkServices/saasPrivateLinkService"),
        lambda service: service.update(visibility={"subscriptions": [OTHER]}),
    )


def stand_elsewhere(patient: Patient) -> None:
    balancer = patient.network("loadBalancers/loadBalancer")
    subnet = {"id": patient.network("virtualNetworks/virtualNetwork/subnets/saas")}
    patient.change(
        balancer, lambda body: body["frontendIPConfigurations"].append({"name": "b", "properties": {"subnet": subnet}})
    )
    patient.change(
        patient.network("privateLinkServices/saasPrivateLinkService"),
        lambda service: service.update(
            loadBalancerFrontendIpConfigurations=[{"id": f"{balancer}/frontendIPConfigurations/b"}]
        ),
    )


def stop_machine(patient: Patient) -> None:
    web2 = patient.id_of("isv", "Microsoft.Compute/virtualMachines/web2")
    patient.served.arm("isv", "POST", f"{web2}/deallocate", api_version=COMPUTE)


def unregister(patient: Patient) -> None:
    subscription = patient.served.ready["subscriptions"]["isv"]
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/unregister"
    patient.served.arm("isv", "POST", path, api_version=RESOURCES)


def withdraw(patient: Patient) -> None:
    endpoint = patient.id_of("customer", "Microsoft.Network/privateEndpoints/saasPrivateEndpoint")
    patient.served.arm("customer", "DELETE", endpoint)
    patient.served.arm("isv", "DELETE", patient.network("privateLinkServices/saasPrivateLinkService"))


def unname(patient: Patient) -> None:
    patient.served.arm("customer", "DELETE", _zone(patient, "A/saas-pls"), api_version=DNS)


def misname(patient: Patient) -> None:
    record = {"properties": {"ttl": 300, "aRecords": [{"ipv4Address": "10.1.0.99"}]}}
    patient.served.arm("customer", "PUT", _zone(patient, "A/saas-pls"), record, api_version=DNS)


def unlink(patient: Patient) -> None:
    patient.served.arm("customer", "DELETE", _zone(patient, "virtualNetworkLinks/dnsLink"), api_version=DNS)


def _zone(patient: Patient, part: str) -> str:
    return patient.id_of("customer", f"Microsoft.Network/privateDnsZones/tradewinds.internal/{part}")


@pytest.mark.parametrize(
    ("harm", "rules"),
    [
        (reject, ["connection-rejected"]),
        (close_port, ["nsg-blocks-port"]),
        (probe_elsewhere, ["probe-wrong-port"]),
        (forget_probe, ["rule-without-probe"]),
        (forget_rule, ["balancer-no-rule"]),
        (leave_pool, ["pool-empty"]),
        (leave_one, ["pool-member-missing"]),
        (leave_asg, ["nic-without-asg"]),
        (list_addresses, ["pool-by-address", "pool-empty"]),
        (speak_proxy, ["service-proxy-protocol"]),
        (hide, ["service-visibility"]),
        (stand_elsewhere, ["service-wrong-frontend"]),
        (stop_machine, ["machine-stopped"]),
        (unregister, ["provider-not-registered"]),
        (withdraw, ["service-missing", "endpoint-missing", "connection-pending"]),
        (unname, ["name-missing"]),
        (misname, ["name-elsewhere"]),
        (unlink, ["zone-not-linked"]),
        (disconnect, ["connection-disconnected", "endpoint-missing", "connection-pending"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_line_mends_what_it_says(patient: Patient, harm: Callable[[Patient], None], rules: list[str]) -> None:
    assert patient.findings() == []
    harm(patient)

    assert patient.mend() == rules

    assert patient.comes()


def test_the_line_that_looks_into_a_machine(patient: Patient) -> None:
    web2 = patient.id_of("isv", "Microsoft.Compute/virtualMachines/web2")
    inside = f"az vm run-command invoke --ids {web2} --command-id RunShellScript --scripts"
    patient.type(f"{inside} 'systemctl stop nginx'")

    (finding,) = patient.findings()

    assert (finding.rule, finding.where.name) == ("page-missing", "web2")
    assert "status: done" in patient.type(finding.az)
    patient.type(f"{inside} 'systemctl start nginx'")
    assert patient.findings() == []
