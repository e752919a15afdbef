"""The private link service: where it stands, whom it lets in, and what it sends."""

from __future__ import annotations

from typing import Any

import pytest

from plstui.domain.errors import AzureError
from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from tests.domain.findings.ward import Ward, altered, named, told

OTHER = "99999999-9999-4999-8999-999999999999"


async def remove_service(ward: Ward) -> None:
    """Take away the service and all that stands on it."""
    await ward.delete(ward.consumer.endpoint, ward.consumer.record, ward.provider.service)


AFTERWARDS = ["endpoint-missing", "connection-pending", "name-missing"]
"""What is to be done once there is a service again."""


async def test_no_service(approved: Ward) -> None:
    await remove_service(approved)

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("service-missing", approved.provider.balancer)
    assert f"--subnet {approved.provider.subnet}" in finding.az
    assert f"--lb-frontend-ip-configs {approved.provider.frontend}" in finding.az
    assert await approved.mend() == ["service-missing", *AFTERWARDS]
    assert await approved.comes()


async def test_policies_of_the_subnet_while_there_is_no_service(approved: Ward) -> None:
    await remove_service(approved)
    async with approved.changing(approved.provider.network) as network:
        named(network, "subnets", "saas")["privateLinkServiceNetworkPolicies"] = "Enabled"

    finding = await approved.first()

    assert (finding.rule, finding.where, finding.fix) == (
        "service-subnet-policies",
        approved.provider.subnet,
        "step:policies",
    )
    assert finding.evidence == {"privateLinkServiceNetworkPolicies": "Enabled"}
    assert await approved.mend() == ["service-subnet-policies", "service-missing", *AFTERWARDS]
    assert await approved.comes()


async def test_policies_of_the_subnet_of_a_service(approved: Ward) -> None:
    """Azure refuses that today; a network of before that check may show it all the same."""
    subnet = approved.provider.subnet
    with pytest.raises(AzureError) as refusal:
        async with approved.changing(approved.provider.network) as network:
            named(network, "subnets", "saas")["privateLinkServiceNetworkPolicies"] = "Enabled"
    assert refusal.value.code == "PrivateLinkServiceNetworkPoliciesCannotBeEnabledOnPrivateLinkServiceSubnet"

    def switch_on(network: dict[str, Any]) -> None:
        named(network, "subnets", "saas")["privateLinkServiceNetworkPolicies"] = "Enabled"

    finding = told(altered(await approved.world(), await approved.get(approved.provider.network), switch_on))[0]

    assert (finding.rule, finding.where, finding.fix) == ("service-subnet-policies", subnet, "step:policies")
    assert finding.az.endswith("--private-link-service-network-policies Disabled")


async def test_the_frontend_that_no_rule_listens_on(approved: Ward) -> None:
    provider = approved.provider
    async with approved.changing(provider.balancer) as balancer:
        second = {"name": "second", "properties": {"subnet": {"id": provider.subnet.text}}}
        balancer["properties"]["frontendIPConfigurations"].append(second)
    async with approved.changing(provider.service) as service:
        second_id = provider.balancer.child("frontendIPConfigurations", "second").text
        service["properties"]["loadBalancerFrontendIpConfigurations"] = [{"id": second_id}]

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("service-wrong-frontend", provider.service)
    assert finding.evidence == {"loadBalancerFrontendIpConfigurations": second_id}
    assert "--lb-frontend-ip-configs loadBalancerFrontEnd" in finding.az
    assert await approved.silent()
    async with approved.changing(provider.service) as service:
        service["properties"]["loadBalancerFrontendIpConfigurations"] = [{"id": provider.frontend.text}]
    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_no_address_left(approved: Ward) -> None:
    provider = approved.provider
    small = provider.network.child("subnets", "small")
    async with approved.changing(provider.network) as network:
        properties = {"addressPrefix": "10.0.2.0/29", "privateLinkServiceNetworkPolicies": "Disabled"}
        network["properties"]["subnets"].append({"name": "small", "properties": properties})
    async with approved.changing(provider.service) as service:
        service["properties"]["ipConfigurations"] = [
            {"name": f"nat{number}", "properties": {"subnet": {"id": small.text}, "primary": number == 0}}
            for number in range(3)
        ]

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("service-nat-exhausted", Severity.WARNING, small)
    assert finding.evidence == {"addressPrefix": "10.0.2.0/29", "addresses in use": "3"}
    async with approved.changing(provider.service) as service:
        service["properties"]["ipConfigurations"].append(
            {"name": "more", "properties": {"subnet": {"id": provider.subnet.text}}}
        )
    assert (await approved.first()).rule == "service-nat-exhausted"
    async with approved.changing(provider.service) as service:
        del service["properties"]["ipConfigurations"][1:]
        service["properties"]["ipConfigurations"][0]["properties"]["primary"] = True
    assert healthy(await approved.findings())
    assert await approved.comes()


async def test_the_proxy_protocol_that_no_machine_speaks(approved: Ward) -> None:
    async with approved.changing(approved.provider.service) as service:
        service["properties"]["enableProxyProtocol"] = True

    guess, sure = await approved.first(), await approved.first(probe=True)

    assert (guess.rule, guess.severity) == ("service-proxy-protocol", Severity.WARNING)
    assert (sure.rule, sure.severity, sure.where) == (
        "service-proxy-protocol",
        Severity.ERROR,
        approved.provider.service,
    )
    assert sure.evidence == {"enableProxyProtocol": "true"}
    async with approved.changing(approved.provider.service) as service:
        service["properties"]["enableProxyProtocol"] = False
    assert healthy(await approved.findings(probe=True))
    assert await approved.comes()


async def test_the_proxy_protocol_that_the_machines_speak(approved: Ward) -> None:
    site = "server { listen 80 proxy_protocol; root /var/www/html; location / { try_files /index.html =404; } }"
    for machine in approved.provider.machines:
        write = f"printf '%s' '{site}' >/etc/nginx/sites-enabled/default"
        await approved.isv.run_command(machine, f"{write} && systemctl restart nginx")
    async with approved.changing(approved.provider.service) as service:
        service["properties"]["enableProxyProtocol"] = True

    assert await approved.comes()
    rules = {finding.rule for finding in await approved.findings(probe=True)}
    assert "service-proxy-protocol" not in rules


async def test_a_service_that_does_not_show_itself_to_this_customer(approved: Ward) -> None:
    service_id, customer = approved.provider.service, approved.box.customer.subscription.id
    async with approved.changing(service_id) as service:
        service["properties"]["visibility"] = {"subscriptions": [OTHER]}

    connected = await approved.first()
    await approved.delete(approved.consumer.endpoint)
    shut_out = await approved.first()

    assert (connected.rule, connected.severity) == ("service-visibility", Severity.WARNING)
    assert (shut_out.rule, shut_out.severity, shut_out.where) == ("service-visibility", Severity.ERROR, service_id)
    assert shut_out.evidence == {"visibility.subscriptions": OTHER}
    assert shut_out.az.endswith(f"--visibility {OTHER} {customer}")
    async with approved.changing(service_id) as service:
        service["properties"]["visibility"] = {"subscriptions": [OTHER, customer]}
    assert await approved.mend() == ["endpoint-missing", "connection-pending"]
    assert await approved.comes()


async def beside(ward: Ward, **more: Any) -> None:
    """Make a second service for somebody else, in front of a balancer that has nothing behind it."""
    provider = ward.provider
    balancer, service = ResourceId(f"{provider.balancer}2"), ResourceId(f"{provider.service}2")
    frontend = {"name": "f", "properties": {"subnet": {"id": provider.subnet.text}}}
    await ward.put(
        balancer,
        {
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "properties": {"frontendIPConfigurations": [frontend]},
        },
    )
    nat = {"name": "nat", "properties": {"subnet": {"id": provider.subnet.text}, "primary": True}}
    stands = [{"id": balancer.child("frontendIPConfigurations", "f").text}]
    properties = {"ipConfigurations": [nat], "loadBalancerFrontendIpConfigurations": stands, **more}
    await ward.put(service, {"location": "westeurope", "properties": properties})


async def test_services_for_others_are_not_this_customers_business(approved: Ward) -> None:
    await beside(approved, visibility={"subscriptions": [OTHER]}, enableProxyProtocol=True)

    assert healthy(await approved.findings())


async def test_who_has_asked_for_nothing_yet_needs_one_service_that_can_be_seen(approved: Ward) -> None:
    await beside(approved, visibility={"subscriptions": [OTHER]})
    await approved.delete(approved.consumer.endpoint)

    assert "service-visibility" not in {finding.rule for finding in await approved.findings()}


@pytest.mark.parametrize(("listed", "wrong"), [([], True), (["*"], False)])
async def test_visible_to_nobody_and_to_all(approved: Ward, listed: list[str], wrong: bool) -> None:
    async with approved.changing(approved.provider.service) as service:
        service["properties"]["visibility"] = {"subscriptions": listed}

    assert ("service-visibility" in {finding.rule for finding in await approved.findings()}) is wrong


async def test_others_are_approved_by_themselves(approved: Ward) -> None:
    customer = approved.box.customer.subscription.id
    async with approved.changing(approved.provider.service) as service:
        service["properties"] |= {
            "visibility": {"subscriptions": [OTHER, customer.upper()]},
            "autoApproval": {"subscriptions": [OTHER]},
        }

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("service-auto-approval", Severity.INFO)
    assert finding.az.endswith(f"--auto-approval {OTHER} {customer}")


async def test_another_region(approved: Ward) -> None:
    consumer = approved.consumer
    endpoint = await approved.get(consumer.endpoint)
    await approved.delete(consumer.endpoint, consumer.record, consumer.machine, consumer.interface)
    await approved.delete(consumer.zone_link, consumer.network)
    subnet = {"name": consumer.subnet.name, "properties": {"addressPrefix": "10.1.0.0/24"}}
    space = {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}, "subnets": [subnet]}
    await approved.put(consumer.network, {"location": "northeurope", "properties": space})
    request = {"name": "c", "properties": {"privateLinkServiceId": approved.provider.service.text}}
    wanted = {"subnet": endpoint["properties"]["subnet"], "manualPrivateLinkServiceConnections": [request]}
    await approved.put(consumer.endpoint, {"location": "northeurope", "properties": wanted})

    findings = await approved.findings()

    (finding,) = (finding for finding in findings if finding.rule == "regions-differ")
    assert (finding.severity, finding.where) == (Severity.INFO, consumer.endpoint)
    assert finding.evidence == {"location": "northeurope", "service location": "westeurope"}


async def test_a_service_on_a_balancer_that_is_gone(approved: Ward) -> None:
    """Azure keeps a balancer that a service stands on, and so nobody can see one without."""
    with pytest.raises(AzureError, match="referenced by private link service"):
        await approved.delete(approved.provider.balancer)

    def forget(service: dict[str, Any]) -> None:
        service["properties"]["loadBalancerFrontendIpConfigurations"] = [
            {"id": ResourceId(f"{approved.provider.balancer}x").child("frontendIPConfigurations", "f").text}
        ]

    world = altered(await approved.world(), await approved.get(approved.provider.service), forget)

    assert healthy(told(world))
