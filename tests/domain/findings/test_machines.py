"""Machines that do not run, were not set up, or serve something else."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from plstui.domain.errors import AzureError
from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Severity
from plstui.domain.ids import ResourceId
from tests.domain.findings.ward import Ward, named

NEVER_READY = "#cloud-config\nruncmd:\n  - sleep 100000\n"
NO_YAML = "#cloud-config\npackages: [nginx\n"
NEEDS_A_PACKAGE = "#cloud-config\npackages: [nginx]\n"


async def like(ward: Ward, model: ResourceId, name: str, nic: ResourceId, user_data: str = "") -> dict[str, Any]:
    """What makes a machine like another one."""
    body = await ward.get(model)
    key = {"path": "/home/azureuser/.ssh/authorized_keys", "keyData": ward.lab.choices.public_key}
    profile = {
        "computerName": name,
        "adminUsername": "azureuser",
        "customData": base64.b64encode(user_data.encode()).decode(),
        "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [key]}},
    }
    disk = {"name": f"{name}-again", "createOption": "FromImage", "deleteOption": "Delete"}
    image = body["properties"]["storageProfile"]["imageReference"]
    return {
        "location": body["location"],
        "zones": body["zones"],
        "properties": {
            "hardwareProfile": body["properties"]["hardwareProfile"],
            "storageProfile": {"imageReference": image, "osDisk": disk},
            "osProfile": profile,
            "networkProfile": {"networkInterfaces": [{"id": nic.text, "properties": {"primary": True}}]},
        },
    }


async def make_again(ward: Ward, machine: ResourceId, user_data: str) -> None:
    """Let a machine be set up by other user data, which only a new one can be."""
    nic = ward.provider.interfaces[ward.provider.machines.index(machine)]
    body = await like(ward, machine, machine.name, nic, user_data)
    await ward.delete(machine)
    await ward.put(machine, body)


async def test_one_machine_is_stopped(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    await approved.act("deallocate", web2)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("machine-stopped", Severity.WARNING)
    assert (finding.where, finding.fix) == (web2, "step:machines")
    assert finding.evidence == {"instanceView.statuses": "PowerState/deallocated"}
    assert finding.az == f"az vm start --ids {web2}"
    assert await approved.comes()
    assert await approved.mend() == ["machine-stopped"]


async def test_every_machine_is_stopped(approved: Ward) -> None:
    await approved.act("deallocate", *approved.provider.machines)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("machine-stopped", Severity.ERROR)
    assert await approved.silent()
    assert set(await approved.mend()) == {"machine-stopped"}
    assert await approved.comes()


async def test_the_test_machine_is_stopped(approved: Ward) -> None:
    await approved.act("deallocate", approved.consumer.machine)

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("machine-stopped", Severity.WARNING)
    assert (finding.where, finding.fix) == (approved.consumer.machine, "step:customer-network")
    assert await approved.mend() == ["machine-stopped"]
    assert await approved.comes()


async def test_machines_that_have_nothing_to_do_with_it(approved: Ward) -> None:
    """A machine in the subnet of the others that is no backend, and stopped."""
    nic, machine = (ResourceId(f"{one[0]}9") for one in (approved.provider.interfaces, approved.provider.machines))
    subnet = {"subnet": {"id": approved.provider.subnet.text}}
    configurations = {"ipConfigurations": [{"name": "ipconfig1", "properties": subnet}]}
    await approved.put(nic, {"location": "westeurope", "properties": configurations})
    await approved.put(machine, await like(approved, approved.provider.machines[0], "web9", nic))
    await approved.act("deallocate", machine)

    assert healthy(await approved.findings())


async def test_a_web_server_is_stopped(approved: Ward) -> None:
    await approved.box.network.break_web("web2")

    finding = await approved.first(probe=True)

    assert (finding.rule, finding.severity) == ("page-missing", Severity.WARNING)
    assert finding.where == approved.provider.machines[1]
    assert finding.evidence == {"health": "Down"}
    await approved.isv.run_command(approved.provider.machines[1], "systemctl start nginx")
    assert healthy(await approved.findings(probe=True))


async def test_a_web_server_is_stopped_and_no_balancer_asks(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "loadBalancingRules", "http").pop("probe")
    await approved.box.network.break_web("web2")

    first, second, *_ = await approved.findings(probe=True)

    assert first.rule == "rule-without-probe"
    assert (second.rule, second.severity) == ("page-missing", Severity.WARNING)
    assert (second.where, second.evidence) == (approved.provider.machines[1], {"failures": "6 × refused"})


async def test_every_web_server_is_stopped(approved: Ward) -> None:
    for machine in approved.provider.machines:
        await approved.isv.run_command(machine, "systemctl stop nginx")

    finding = await approved.first()

    assert (finding.rule, finding.severity) == ("page-missing", Severity.ERROR)
    assert await approved.silent()


async def test_a_machine_that_azure_believes_to_be_on(approved: Ward) -> None:
    """The plug is pulled: its agent does not answer either."""
    await approved.box.network.stop_machine("web2")

    finding = await approved.first(probe=True)

    assert (finding.rule, finding.where) == ("page-missing", approved.provider.machines[1])


async def test_cloud_init_has_failed(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    await make_again(approved, web2, NO_YAML)

    unasked, finding = await approved.first(), await approved.first(probe=True)

    assert (unasked.rule, unasked.where) == ("page-missing", web2)
    assert (finding.rule, finding.severity, finding.where) == ("cloud-init-failed", Severity.WARNING, web2)
    assert finding.evidence == {"cloud-init status": "error", "health": "Down"}
    await approved.delete(web2)
    await approved.up("machines")
    assert await approved.mend(probe=True) == []
    assert await approved.comes()


async def test_cloud_init_is_at_work(approved: Ward) -> None:
    web3 = approved.provider.machines[2]
    await make_again(approved, web3, NEVER_READY)

    finding = await approved.first(probe=True, settled=False)

    assert (finding.rule, finding.severity, finding.where) == ("cloud-init-running", Severity.WARNING, web3)
    assert finding.evidence == {"cloud-init status": "running", "health": "Down"}


async def test_no_way_out_for_a_machine_that_has_to_fetch_its_web_server(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    async with approved.changing(approved.provider.network) as network:
        named(network, "subnets", "saas").pop("natGateway")
    assert healthy(await approved.findings())
    await make_again(approved, web2, NEEDS_A_PACKAGE)

    finding, asked = await approved.first(), await approved.first(probe=True)

    assert (finding.rule, finding.severity) == ("no-outbound", Severity.WARNING)
    assert (finding.where, finding.fix) == (web2, "step:isv-network")
    assert finding.evidence == {"natGateway": "null", "health": "Down"}
    assert asked.rule == "no-outbound"
    assert asked.evidence["cloud-init status"] == "error"
    await approved.apply(finding)
    assert (await approved.first(probe=True)).rule == "cloud-init-failed"
    await make_again(approved, web2, NEEDS_A_PACKAGE)
    # The package's own page is not the lab's.
    assert (await approved.first(probe=True)).rule == "page-wrong"


async def test_no_way_out_explains_nothing_of_a_machine_that_has_been_set_up(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    async with approved.changing(approved.provider.network) as network:
        named(network, "subnets", "saas").pop("natGateway")
    await approved.isv.run_command(web2, "systemctl stop nginx")

    finding = await approved.first(probe=True)

    assert (finding.rule, finding.where) == ("page-missing", web2)


async def test_a_wrong_page_of_a_machine_that_is_up(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    await approved.isv.run_command(web2, "echo '\\033[31m[b]It works![/b]' >/var/www/html/index.html")

    unasked, finding = await approved.findings(), await approved.first(probe=True)

    assert healthy(unasked)
    assert (finding.rule, finding.severity, finding.where) == ("page-wrong", Severity.WARNING, web2)
    assert "It works!" in finding.evidence["page"]
    assert finding.evidence["page"].isprintable()
    await approved.isv.run_command(web2, "printf 'Host: web2' >/var/www/html/index.html")
    assert healthy(await approved.findings(probe=True))


async def test_wrong_pages_everywhere(approved: Ward) -> None:
    for machine in approved.provider.machines:
        await approved.isv.run_command(machine, "echo hello >/var/www/html/index.html")

    finding = await approved.first(probe=True)

    assert (finding.rule, finding.severity) == ("page-wrong", Severity.ERROR)


async def test_the_right_page_of_a_machine_that_is_down(approved: Ward) -> None:
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "probes", "http").update({"protocol": "Http", "requestPath": "/health"})
    for machine in approved.provider.machines:
        site = "server { listen 80; root /var/www/html; location /health { return 503; } }"
        write = f"printf '%s' '{site}' >/etc/nginx/sites-enabled/default"
        await approved.isv.run_command(machine, f"{write} && systemctl restart nginx")

    finding = await approved.first(probe=True)

    assert (finding.rule, finding.severity) == ("health-down-page-right", Severity.ERROR)
    assert finding.evidence == {"health": "Down", "page": "Host: web1"}
    assert await approved.silent()
    async with approved.changing(approved.provider.balancer) as balancer:
        named(balancer, "probes", "http")["requestPath"] = "/index.html"
    assert healthy(await approved.findings(probe=True))
    assert await approved.comes()


async def test_a_machine_that_could_not_be_changed(approved: Ward) -> None:
    web2 = approved.provider.machines[1]
    await approved.box.faults.load(
        {"faults": [{"kind": "fail-operation", "type": "Microsoft.Compute/virtualMachines", "times": 1}]}
    )
    with pytest.raises(AzureError):
        async with approved.changing(web2) as body:
            body["tags"] = {"new": "yes"}

    finding = await approved.first()

    assert (finding.rule, finding.severity, finding.where) == ("machine-failed", Severity.WARNING, web2)
    assert finding.az == f"az vm reapply --ids {web2}"
    await approved.act("reapply", web2)
    assert healthy(await approved.findings())
