"""The balancer and its pool."""

from __future__ import annotations

from plstui.domain.findings.finding import Severity
from tests.domain.findings.ward import Ward, named


async def test_no_balancer(approved: Ward) -> None:
    provider, consumer = approved.provider, approved.consumer
    await approved.delete(consumer.endpoint, consumer.record, provider.service)
    for nic in provider.interfaces:
        async with approved.changing(nic) as body:
            named(body, "ipConfigurations", "ipconfig1").pop("loadBalancerBackendAddressPools")
    await approved.delete(provider.balancer)

    finding = await approved.first()

    assert (finding.rule, finding.where, finding.fix) == ("balancer-missing", provider.network, "step:balancer")
    assert await approved.mend() == [
        *("balancer-missing", "balancer-no-rule", "balancer-no-rule", "service-missing", "endpoint-missing"),
        *("connection-pending", "pool-empty", "name-missing"),
    ]
    assert await approved.comes()


async def test_a_basic_balancer(approved: Ward) -> None:
    provider, consumer = approved.provider, approved.consumer
    await approved.delete(consumer.endpoint, consumer.record, provider.service)
    for nic in provider.interfaces:
        async with approved.changing(nic) as body:
            named(body, "ipConfigurations", "ipconfig1").pop("loadBalancerBackendAddressPools")
    balancer = await approved.get(provider.balancer)
    await approved.delete(provider.balancer)
    await approved.put(provider.balancer, {**balancer, "sku": {"name": "Basic"}})

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == (
        "balancer-basic-sku",
        Severity.ERROR,
        provider.balancer,
    )
    assert finding.evidence == {"sku.name": "Basic"}
    assert finding.az == f"az network lb delete --ids {provider.balancer}"


async def test_no_rule(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        balancer["properties"]["loadBalancingRules"] = []

    finding = await approved.first()

    assert (finding.rule, finding.where, finding.fix) == ("balancer-no-rule", approved.provider.balancer, "step:rule")
    assert "--frontend-ip-name loadBalancerFrontEnd --backend-pool-name saasBackendPool --probe-name http" in finding.az
    assert await approved.silent()
    assert await approved.mend() == ["balancer-no-rule"]
    assert await approved.comes()


async def test_a_probe_of_the_wrong_port(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "probes", "http")["port"] = 8080

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("probe-wrong-port", Severity.ERROR)
    assert (finding.where, finding.fix) == (approved.provider.probe, "step:probe")
    assert finding.evidence == {"port": "8080", "backendPort": "80"}
    assert await approved.silent()
    assert await approved.mend() == ["probe-wrong-port"]
    assert await approved.comes()


async def test_a_probe_of_a_port_that_is_there_for_it(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "probes", "http")["port"] = 8080
    for machine in approved.provider.machines:
        serve = (
            "printf '[Service]\\nExecStart=/usr/bin/python3 -m http.server 8080\\n' >/etc/systemd/system/health.service"
        )
        await approved.isv.run_command(machine, f"{serve} && systemctl daemon-reload && systemctl start health")

    assert "probe-wrong-port" not in {finding.rule for finding in await approved.findings()}
    assert await approved.comes()


async def test_a_rule_without_a_probe(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "loadBalancingRules", "http").pop("probe")

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("rule-without-probe", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.provider.rule, "step:rule")
    assert finding.az.endswith("--name http --probe-name http")
    assert await approved.mend() == ["rule-without-probe"]
    assert await approved.comes()


async def test_a_rule_without_a_probe_on_a_balancer_without_one(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "loadBalancingRules", "http").pop("probe")
        balancer["properties"]["probes"] = []

    finding = await approved.first()

    assert (finding.rule, finding.fix) == ("rule-without-probe", "step:probe")
    assert finding.az.startswith("az network lb probe create")
    assert await approved.mend() == ["rule-without-probe", "rule-without-probe"]
    assert await approved.comes()


async def leave(ward: Ward, *machines: int) -> None:
    """Take machines out of the pool."""
    for number in machines:
        async with ward.changing(ward.provider.interfaces[number - 1]) as nic:
            named(nic, "ipConfigurations", "ipconfig1").pop("loadBalancerBackendAddressPools")


async def test_an_empty_pool(approved: Ward) -> None:
    await leave(approved, 1, 2, 3)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("pool-empty", Severity.ERROR)
    assert (finding.where, finding.fix) == (approved.provider.pool, "step:pool")
    assert finding.az.count("az network nic ip-config address-pool add") == 3
    assert await approved.silent()
    assert await approved.mend() == ["pool-empty"]
    assert await approved.comes()


async def test_an_empty_pool_and_no_machines_to_put_into_it(approved: Ward) -> None:
    await approved.delete(*approved.provider.machines, *approved.provider.interfaces)

    finding = await approved.first()

    assert (finding.rule, finding.fix, finding.az) == ("pool-empty", "step:machines", "")
    assert await approved.mend() == ["pool-empty", "pool-empty"]
    assert await approved.comes()


async def test_a_machine_that_is_not_in_the_pool(approved: Ward) -> None:
    await leave(approved, 2)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("pool-member-missing", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.provider.interfaces[1], "step:pool")
    assert await approved.comes()
    assert await approved.mend() == ["pool-member-missing"]


async def test_a_pool_of_addresses(approved: Ward) -> None:
    await leave(approved, 1, 2, 3)
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "backendAddressPools", "saasBackendPool")["loadBalancerBackendAddresses"] = [
            {
                "name": f"address{number}",
                "properties": {
                    "ipAddress": f"10.0.1.{number + 3}",
                    "virtualNetwork": {"id": approved.provider.network.text},
                },
            }
            for number in (1, 2, 3)
        ]

    finding = await approved.first()

    assert (finding.rule, finding.where) == ("pool-by-address", approved.provider.pool)
    assert finding.evidence == {"loadBalancerBackendAddresses.ipAddress": "10.0.1.4, 10.0.1.5, 10.0.1.6"}
    assert finding.az.count("az network lb address-pool address remove") == 3
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "backendAddressPools", "saasBackendPool")["loadBalancerBackendAddresses"] = []
    assert await approved.mend() == ["pool-empty"]
    assert await approved.comes()
