"""Machines follow their resources, and what is done to them from outside."""

from __future__ import annotations

import asyncio

import asyncssh
import pytest

from plstui.sandbox.machines.network import CONNECT_TIMEOUT
from tests.sandbox.fabric.lab import WEB_ADDRESSES, Lab, running, vm_id


async def reachable(port: int) -> bool:
    """Whether something listens on a port of 127.0.0.1."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_a_machine_appears_when_it_runs_and_goes_when_it_is_deleted() -> None:
    lab = Lab()
    changes: list[list[str]] = []
    lab.networks()
    async with running(lab):
        lab.network.on_machines_changed = lambda: changes.append([e.name for e in lab.network.ssh_endpoints()])
        lab.client()
        await lab.network.settled()
        port = lab.port("testVM")
        assert await reachable(port)
        lab.delete(vm_id("testVM"))
        await lab.network.settled()
        assert changes == [["testVM"], []]
        assert not await reachable(port)


async def test_a_machine_that_is_still_being_created_is_not_there() -> None:
    lab = Lab()
    lab.networks()
    lab.client()
    lab.change(vm_id("testVM"), provisioningState="Creating", instanceView={})
    async with running(lab):
        assert lab.network.ssh_endpoints() == []
        lab.change(vm_id("testVM"), provisioningState="Succeeded")
        await lab.network.settled()
        assert [endpoint.name for endpoint in lab.network.ssh_endpoints()] == ["testVM"]


async def test_a_deallocated_machine_answers_nothing_and_comes_back_as_it_was(lab: Lab) -> None:
    await lab.run("web1", "echo kept >/home/azureuser/note; systemctl stop nginx")
    endpoints = lab.network.ssh_endpoints()
    lab.power("web1", "deallocated")
    await lab.network.settled()
    assert not await reachable(lab.port("web1"))
    with pytest.raises(KeyError):
        await lab.run("web1", "true")
    pinging = asyncio.ensure_future(lab.run("web2", f"curl -sS {WEB_ADDRESSES['web1']} 2>&1"))
    await lab.clock.pass_over(CONNECT_TIMEOUT)
    assert "(28)" in await pinging
    lab.power("web1", "running")
    await lab.network.settled()
    assert await lab.run("web1", "cat /home/azureuser/note; curl -s localhost") == "kept\nHost: web1"
    assert lab.network.ssh_endpoints() == endpoints


async def test_a_machine_made_anew_under_the_same_name_is_another_one(lab: Lab) -> None:
    await lab.run("testVM", "echo old >/home/azureuser/note")
    before = next(endpoint for endpoint in lab.network.ssh_endpoints() if endpoint.name == "testVM")
    lab.change(vm_id("testVM"), vmId="another")
    await lab.network.settled()
    after = next(endpoint for endpoint in lab.network.ssh_endpoints() if endpoint.name == "testVM")
    assert after.host_key != before.host_key
    assert await lab.run("testVM", "cat /home/azureuser/note 2>&1") == (
        "cat: /home/azureuser/note: No such file or directory\n"
    )


async def test_a_machine_unplugged_from_outside_stays_off_whatever_azure_says(lab: Lab) -> None:
    await lab.network.stop_machine("WEB1")
    lab.change(vm_id("web1"), tags={"a": "b"})
    await lab.network.settled()
    assert not await reachable(lab.port("web1"))
    await lab.network.start_machine(vm_id("web1"))
    assert await lab.run("web1", "curl -s localhost") == "Host: web1"


async def test_a_machine_that_hangs_takes_connections_and_says_nothing(lab: Lab) -> None:
    async with lab.ssh("testVM") as connection:
        await lab.network.hang_machine("testVM")
        running_there = asyncio.ensure_future(connection.run("hostname"))
        reader, writer = await asyncio.open_connection("127.0.0.1", lab.port("testVM"))
        writer.write(b"SSH-2.0-test\r\n")
        answer = asyncio.ensure_future(reader.read())
        # Time enough for another machine to log in and answer.
        async with lab.ssh("web1") as other:
            assert (await other.run("hostname")).stdout == "web1\n"
        assert not running_there.done()
        assert not answer.done()
        await lab.network.start_machine("testVM")
        assert (await running_there).stdout == "testVM\n"
        writer.close()
        answer.cancel()
    async with lab.ssh("testVM") as connection:
        assert (await connection.run("hostname")).stdout == "testVM\n"


async def test_a_machine_that_hangs_says_nothing_with_another_host_key_either(lab: Lab) -> None:
    await lab.network.hang_machine("testVM")
    await lab.network.change_host_key("testVM")
    reader, writer = await asyncio.open_connection("127.0.0.1", lab.port("testVM"))
    greeting = asyncio.ensure_future(reader.read(1))
    async with lab.ssh("web1") as other:
        assert (await other.run("hostname")).stdout == "web1\n"
    assert not greeting.done()
    writer.close()
    greeting.cancel()
    await lab.network.start_machine("testVM")
    async with lab.ssh("testVM") as connection:
        assert (await connection.run("hostname")).stdout == "testVM\n"


@pytest.mark.parametrize("script", ["sleep 50; systemctl start nginx", "systemctl stop nginx; sleep 50"])
async def test_a_machine_that_goes_off_takes_a_running_script_along(lab: Lab, script: str) -> None:
    sleeping = asyncio.ensure_future(lab.run("web1", script))
    await lab.clock.until_asleep(50)
    await lab.network.stop_machine("web1")
    with pytest.raises(KeyError):
        await sleeping
    await lab.network.start_machine("web1")
    assert await lab.run("web1", "curl -s localhost") == "Host: web1"


async def test_a_changed_host_key_is_not_the_one_that_was_trusted(lab: Lab) -> None:
    called: list[bool] = []
    lab.network.on_machines_changed = lambda: called.append(True)
    old = next(endpoint for endpoint in lab.network.ssh_endpoints() if endpoint.name == "testVM")
    await lab.network.change_host_key("testVM")
    assert called == [True]
    assert lab.port("testVM") == old.port
    trusted = asyncssh.import_known_hosts(f"[127.0.0.1]:{old.port} {old.host_key}\n")
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await asyncssh.connect("127.0.0.1", old.port, username="azureuser", client_keys=[lab.key], known_hosts=trusted)
    async with lab.ssh("testVM") as connection:
        assert (await connection.run("hostname")).stdout == "testVM\n"


async def test_a_broken_web_server_stays_broken_after_a_restart(lab: Lab) -> None:
    await lab.network.break_web("web2")
    assert "(7)" in await lab.run("web1", f"curl -sS {WEB_ADDRESSES['web2']} 2>&1")
    await lab.network.stop_machine("web2")
    await lab.network.start_machine("web2")
    assert "(7)" in await lab.run("web2", "curl -sS localhost 2>&1")


@pytest.mark.parametrize("verb", ["stop_machine", "start_machine", "hang_machine", "change_host_key", "break_web"])
async def test_an_unknown_machine_is_a_key_error(lab: Lab, verb: str) -> None:
    with pytest.raises(KeyError):
        await getattr(lab.network, verb)("web9")


async def test_nothing_listens_after_the_network_stopped() -> None:
    lab = Lab()
    lab.everything()
    async with running(lab):
        ports = [endpoint.port for endpoint in lab.network.ssh_endpoints()]
    assert [await reachable(port) for port in ports] == [False] * 4


async def test_custom_data_that_cannot_be_read_leaves_a_machine_with_a_failed_cloud_init(lab: Lab) -> None:
    values = lab.store.get(vm_id("testVM"))
    assert values is not None
    lab.change(vm_id("testVM"), vmId="another", osProfile={**values["properties"]["osProfile"], "customData": "?!x"})
    await lab.network.settled()
    assert await lab.run("testVM", "cloud-init status") == "status: error\n"
