"""The workshop by Microsoft's own az: every command works, plstui follows, and the page comes through the endpoint."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.az import Az, find_az, outside
from tests.support.served import Served, environment, serve
from tests.support.terminal import Terminal, terminal

AZ = find_az()

pytestmark = [
    pytest.mark.skipif(AZ is None, reason="az is not there; .ci/run installs it, and PLSTUI_AZ names another one"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
    pytest.mark.timeout(400),
]

CLOUD_INIT = Path(__file__).parents[2] / "scripts" / "cloud-init"
ISV, CUSTOMER, ZONE = "privatelink-pls-microhack-rg", "privatelink-dns-microhack-rg", "tradewinds.internal"
IMAGE = "Canonical:ubuntu-24_04-lts:server:latest"
MESSAGE = "Customer: Tradewinds, Order no.: 314159"
SERVICE, ENDPOINT = "saasPrivateLinkService", "saasPrivateEndpoint"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serve(tmp_path, "empty") as served:
        yield served


def test_the_workshop_by_az(served: Served, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plstui", "--config", str(served.config)]
    quick = {**environment(served.home), "PLSTUI_WATCH_INTERVAL": "1"}
    with (
        outside() as (variables, seen),
        terminal(tmp_path, command, size=(160, 48), environ=quick) as screen,
    ):
        assert AZ is not None
        defaults = {"AZURE_DEFAULTS_GROUP": ISV, "AZURE_DEFAULTS_LOCATION": "West Europe"}
        isv = Az.of(served, AZ, **variables, **defaults)
        customer = Customer(Az.of(served, AZ, **variables))
        before = sorted(path.name for path in served.home.iterdir())

        provider_builds_its_network(isv)
        provider_starts_its_machines(isv, served)
        screen.wait_for("web1", "web2", "web3")
        provider_balances_them(isv)
        screen.wait_for("loadBalancer", "3/3")
        service = provider_offers_the_service(isv)
        screen.wait_for(SERVICE)

        customer_builds_its_network(customer, served)
        screen.wait_for("testVM")
        customer_asks_for_an_endpoint(customer, service)
        screen.wait_for(ENDPOINT, "Pending")
        assert statuses(served) == ("Pending", ["isv", "customer"], "Pending")

        provider_approves(isv)
        screen.wait_for(*on_both_sides(f"{ENDPOINT} is Approved now"))
        assert statuses(served) == ("Approved", ["isv", "customer"], "Approved")

        address = customer_names_the_endpoint(customer)
        assert customer_opens(customer, f"http://{address}") in pages()
        assert customer_opens(customer, f"http://saas-pls.{ZONE}") in pages()
        plstui_gets_the_pages(served)

        customer("network", "private-endpoint", "delete", "--name", ENDPOINT)
        screen.wait_for(*on_both_sides(f"{ENDPOINT} is gone"), gone=("✔ Approved",))
        assert isv("network", "private-link-service", "show", "--name", SERVICE)["privateEndpointConnections"] == []
        isv("group", "delete", "--yes", "--name", ISV)
        customer.az("group", "delete", "--yes", "--name", CUSTOMER, customer=True)
        screen.wait_for("is gone", gone=("10.0.1.4:80", "running"))
        assert served.control("GET", "/state")["resources"] == []

        assert seen == []
        assert sorted(path.name for path in served.home.iterdir()) == before
        leave(screen)


class Customer:
    """az as the lab's customer: in their subscription and group."""

    def __init__(self, az: Az) -> None:
        self.az = az

    def __call__(self, *arguments: str) -> Any:
        return self.az(*arguments, "--resource-group", CUSTOMER, customer=True)


def provider_builds_its_network(az: Az) -> None:
    az("group", "create", "--name", ISV)
    az("network", "nsg", "create", "--name", "networkSecurityGroup")
    az("network", "asg", "create", "--name", "applicationSecurityGroup")
    az(
        *("network", "nsg", "rule", "create", "--nsg-name", "networkSecurityGroup", "--name", "nginx"),
        *("--priority", "1003", "--direction", "Inbound", "--access", "Allow", "--protocol", "Tcp"),
        *("--source-address-prefixes", "*", "--destination-asgs", "applicationSecurityGroup"),
        *("--destination-port-ranges", "80", "443"),
    )
    az("network", "public-ip", "create", "--name", "natAddress", "--sku", "Standard")
    az("network", "nat", "gateway", "create", "--name", "natGateway", "--public-ip-addresses", "natAddress")
    az("network", "vnet", "create", "--name", "virtualNetwork", "--address-prefixes", "10.0.0.0/16")
    subnet = az(
        *("network", "vnet", "subnet", "create", "--vnet-name", "virtualNetwork", "--name", "saas"),
        *("--address-prefixes", "10.0.1.0/24", "--network-security-group", "networkSecurityGroup"),
        *("--nat-gateway", "natGateway", "--default-outbound-access", "false"),
    )
    assert subnet["natGateway"]["id"].endswith("/natGateway")
    assert subnet["defaultOutboundAccess"] is False


def provider_starts_its_machines(az: Az, served: Served) -> None:
    az("sshkey", "create", "--name", "sshPublicKey", "--public-key", f"@{served.directory / 'id_ed25519.pub'}")
    sizes = az("vm", "list-skus", "--location", "westeurope", "--size", "Standard_B", "--zone")
    size = next(one["name"] for one in sizes if {"1", "2", "3"} <= set(one["locationInfo"][0]["zones"]))
    for zone in ("1", "2", "3"):
        az(
            *("network", "nic", "create", "--name", f"web{zone}-nic", "--vnet-name", "virtualNetwork"),
            *("--subnet", "saas", "--application-security-groups", "applicationSecurityGroup"),
        )
        made = az(
            *("vm", "create", "--name", f"web{zone}", "--nics", f"web{zone}-nic", "--zone", zone, "--size", size),
            *("--image", IMAGE, "--os-disk-name", f"web{zone}-os", "--admin-username", "azureuser"),
            *("--ssh-key-name", "sshPublicKey", "--custom-data", str(CLOUD_INIT / "web.yaml")),
        )
        assert (made["powerState"], made["zones"]) == ("VM running", zone)
    machines = az("vm", "list", "--show-details")
    assert [(one["name"], one["zones"]) for one in machines] == [("web1", ["1"]), ("web2", ["2"]), ("web3", ["3"])]
    assert all(one["privateIps"].startswith("10.0.1.") for one in machines)


def provider_balances_them(az: Az) -> None:
    az(
        *("network", "lb", "create", "--name", "loadBalancer", "--sku", "Standard"),
        *("--vnet-name", "virtualNetwork", "--subnet", "saas", "--frontend-ip-name", "loadBalancerFrontEnd"),
        *("--backend-pool-name", "saasBackendPool"),
    )
    az(
        *("network", "lb", "probe", "create", "--lb-name", "loadBalancer", "--name", "http"),
        *("--protocol", "tcp", "--port", "80"),
    )
    az(
        *("network", "lb", "rule", "create", "--lb-name", "loadBalancer", "--name", "http", "--protocol", "tcp"),
        *("--frontend-port", "80", "--backend-port", "80", "--frontend-ip-name", "loadBalancerFrontEnd"),
        *("--backend-pool-name", "saasBackendPool", "--probe-name", "http"),
        *("--idle-timeout", "15", "--enable-tcp-reset", "true"),
    )
    for nic in ("web1-nic", "web2-nic", "web3-nic"):
        joined = az(
            *("network", "nic", "ip-config", "address-pool", "add", "--nic-name", nic),
            *("--ip-config-name", "ipconfig1", "--lb-name", "loadBalancer", "--address-pool", "saasBackendPool"),
        )
        assert joined["applicationSecurityGroups"], "the pool was joined and the security group left"
    balancer = az("network", "lb", "show", "--name", "loadBalancer")
    assert len(balancer["backendAddressPools"][0]["backendIPConfigurations"]) == 3
    assert balancer["frontendIPConfigurations"][0]["privateIPAddress"].startswith("10.0.1.")


def provider_offers_the_service(az: Az) -> str:
    """Gives the service's id."""
    az(
        *("network", "vnet", "subnet", "update", "--vnet-name", "virtualNetwork", "--name", "saas"),
        *("--private-link-service-network-policies", "Disabled"),
    )
    az(
        *("network", "private-link-service", "create", "--name", SERVICE, "--vnet-name", "virtualNetwork"),
        *("--subnet", "saas", "--lb-name", "loadBalancer", "--lb-frontend-ip-configs", "loadBalancerFrontEnd"),
    )
    shown = az("network", "private-link-service", "show", "--name", SERVICE)
    assert shown["alias"].startswith("saasprivatelinkservice.")
    return str(shown["id"])


def customer_builds_its_network(az: Customer, served: Served) -> None:
    place = ("--location", "West Europe")
    az.az("group", "create", "--name", CUSTOMER, *place, customer=True)
    az("network", "vnet", "create", "--name", "spoke-vnet", "--address-prefixes", "10.1.0.0/16", *place)
    az(
        *("network", "vnet", "subnet", "create", "--name", "InfrastructureSubnet", "--vnet-name", "spoke-vnet"),
        *("--address-prefixes", "10.1.0.0/24", "--private-endpoint-network-policies", "Disabled"),
    )
    az("network", "private-dns", "zone", "create", "--name", ZONE)
    az(
        *("network", "private-dns", "link", "vnet", "create", "--zone-name", ZONE, "--name", "dnsLink"),
        *("--virtual-network", "spoke-vnet", "--registration-enabled", "false"),
    )
    az(
        *("vm", "create", "--name", "testVM", "--vnet-name", "spoke-vnet", "--subnet", "InfrastructureSubnet"),
        *("--image", IMAGE, "--admin-username", "azureuser", "--public-ip-address", "", "--nsg", "", *place),
        *("--size", "Standard_B1s", "--ssh-key-values", str(served.directory / "id_ed25519.pub")),
        *("--custom-data", str(CLOUD_INIT / "client.yaml")),
    )


def customer_asks_for_an_endpoint(az: Customer, service: str) -> None:
    asked = az(
        *("network", "private-endpoint", "create", "--connection-name", "connectionToSaasService"),
        *("--name", ENDPOINT, "--private-connection-resource-id", service, "--location", "West Europe"),
        *("--vnet-name", "spoke-vnet", "--subnet", "InfrastructureSubnet"),
        *("--manual-request", "true", "--request-message", MESSAGE),
    )
    [connection] = asked["manualPrivateLinkServiceConnections"]
    assert asked["provisioningState"] == "Succeeded"
    assert connection["privateLinkServiceConnectionState"]["status"] == "Pending"


def provider_approves(az: Az) -> None:
    shown = az("network", "private-link-service", "show", "--name", SERVICE)
    [connection] = shown["privateEndpointConnections"]
    assert connection["name"].startswith(f"{ENDPOINT}.")
    az(
        *("network", "private-link-service", "connection", "update", "--service-name", SERVICE),
        *("--name", connection["name"], "--connection-status", "Approved", "--description", "Welcome"),
    )


def customer_names_the_endpoint(az: Customer) -> str:
    """Gives the endpoint's address."""
    endpoint = az("network", "private-endpoint", "show", "--name", ENDPOINT)
    [connection] = endpoint["manualPrivateLinkServiceConnections"]
    assert connection["privateLinkServiceConnectionState"]["status"] == "Approved"
    nic = az.az("network", "nic", "show", "--ids", endpoint["networkInterfaces"][0]["id"])
    address = str(nic["ipConfigurations"][0]["privateIPAddress"])
    assert address.startswith("10.1.0.")
    az(
        *("network", "private-dns", "record-set", "a", "add-record", "--zone-name", ZONE),
        *("--record-set-name", "saas-pls", "--ipv4-address", address),
    )
    return address


def customer_opens(az: Customer, url: str) -> str:
    """The page at an address, opened on the test machine."""
    answer = az(
        *("vm", "run-command", "invoke", "--name", "testVM", "--command-id", "RunShellScript"),
        *("--scripts", f"curl --silent --show-error --max-time 5 {url}"),
    )
    message = str(answer["value"][0]["message"])
    return message.partition("[stdout]\n")[2].partition("\n[stderr]")[0].strip()


def plstui_gets_the_pages(served: Served) -> None:
    probe = served.plstui(
        *("probe", "--count", "12", "--json"),
        *("--assert", "backend.hosts>=3", "--assert", "endpoint.hosts>=2"),
    )
    assert probe.exit_code == 0, probe.stdout + probe.stderr


def pages() -> set[str]:
    return {"Host: web1", "Host: web2", "Host: web3"}


def statuses(served: Served) -> tuple[str, list[str], str]:
    """The one connection as plstui tells it to scripts: its status, who sees it, the word in the customer's tree."""
    run = served.plstui("status", "--json")
    assert run.exit_code == 0, run.stderr
    [connection] = run.json["connections"]
    [endpoint] = [row for row in run.json["customer"]["resources"] if row["name"] == ENDPOINT]
    return connection["status"], connection["seen_from"], endpoint["state"]


def on_both_sides(news: str) -> tuple[str, str]:
    """What the activity line says when both sides have seen something happen."""
    return f"🔵 {news}", f"🟢 {news}"


def leave(screen: Terminal) -> None:
    screen.press("q")
    assert "exit code 0" in screen.wait_for("exit code")
