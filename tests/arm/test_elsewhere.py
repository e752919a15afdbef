"""No token goes to anybody but ARM, wherever an answer of Azure's says that an operation or a page is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trustme

from plstui.arm.health import of_rule
from plstui.arm.side import ArmSide
from plstui.arm.signing import is_arm
from plstui.arm.writer import Writer
from plstui.domain.connection import APPROVED
from plstui.domain.errors import AnswerLostError, AzureError
from plstui.domain.ids import ResourceId
from tests.arm.server import SUBSCRIPTION, Answer, ArmServer
from tests.arm.test_reader import BALANCER, health_of
from tests.arm.test_writer import CONNECTION, approve_by, connection, impatient

__all__ = ["impatient"]

GROUP = ResourceId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg")
MACHINE = ResourceId(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm")

in_either_header = pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])


@pytest.fixture
async def elsewhere(authority: trustme.CA) -> AsyncIterator[ArmServer]:
    """Somebody with a good certificate, who is not ARM."""
    server = ArmServer(authority)
    await server.start()
    server.on("GET", "/operation", Answer({"status": "Succeeded"}))
    yield server
    await server.stop()


async def run(writer: Writer) -> None:
    await writer.run_command(MACHINE, "hostname")


async def put(writer: Writer) -> None:
    await writer.put(GROUP, {"location": "westeurope"})


WRITES: dict[str, tuple[str, str, Callable[[Writer], Awaitable[None]]]] = {
    "put": ("PUT", GROUP.text, put),
    "delete": ("DELETE", GROUP.text, lambda writer: writer.delete(GROUP)),
    "start": ("POST", f"{MACHINE}/start", lambda writer: writer.start(MACHINE)),
    "run command": ("POST", f"{MACHINE}/runCommand", run),
}


@in_either_header
@pytest.mark.parametrize(("method", "path", "write"), WRITES.values(), ids=WRITES)
async def test_a_write_whose_operation_is_elsewhere_may_have_been_done(
    azure: ArmServer,
    side: ArmSide,
    elsewhere: ArmServer,
    header: str,
    method: str,
    path: str,
    write: Callable[[Writer], Awaitable[None]],
) -> None:
    """Azure has taken it; what is refused is the question what came of it."""
    azure.on(method, path, Answer({"id": GROUP.text}, 202, {header: f"{elsewhere.arm}/operation"}))

    with pytest.raises(AnswerLostError) as caught:
        await write(side.writer)

    assert caught.value.message == (
        f"The answer of {azure.arm[8:]} cannot be read: it leads to {elsewhere.arm}, where nothing was sent."
    )
    assert not elsewhere.seen
    assert len(azure.requests(method)) == 1


@in_either_header
async def test_health_that_is_told_elsewhere_is_not_asked_for(
    azure: ArmServer, side: ArmSide, elsewhere: ArmServer, header: str
) -> None:
    azure.on("POST", health_of("http"), Answer(None, 202, {header: f"{elsewhere.arm}/operation"}))

    with pytest.raises(AzureError, match=f"it leads to {elsewhere.arm}, where nothing was sent"):
        await of_rule(side.writer._road, BALANCER.child("loadBalancingRules", "http"))

    assert not elsewhere.seen


async def test_of_a_decision_whose_operation_is_elsewhere_the_connection_tells(
    azure: ArmServer, impatient: Writer, elsewhere: ArmServer
) -> None:
    azure.on("GET", CONNECTION.text, Answer(connection("Pending")), Answer(connection("Approved")))
    headers = {"Azure-AsyncOperation": f"{elsewhere.arm}/operation"}
    azure.on("PUT", CONNECTION.text, Answer(connection("Approved", "Updating"), headers=headers))

    assert (await approve_by(impatient)).status == APPROVED

    assert not elsewhere.seen


async def test_an_operation_that_leads_on_is_followed_to_arm_only(
    azure: ArmServer, side: ArmSide, elsewhere: ArmServer
) -> None:
    headers = {"Location": "{arm}/operation", "x-ms-retry-after-ms": "1"}
    azure.on("DELETE", GROUP.text, Answer(None, 202, headers))
    azure.on("GET", "/operation", Answer(None, 202, headers | {"Location": f"{elsewhere.arm}/operation"}))

    with pytest.raises(AnswerLostError, match="where nothing was sent"):
        await side.writer.delete(GROUP)

    assert not elsewhere.seen


PUBLIC = "https://management.azure.com"
LOCAL = "https://localhost:8443"


@pytest.mark.parametrize(
    ("address", "arm", "own"),
    [
        (f"{PUBLIC}/subscriptions", PUBLIC, True),
        ("HTTPS://Management.Azure.com:443/x", PUBLIC, True),
        ("https://westeurope.management.azure.com/x", PUBLIC, True),
        ("https://management.usgovcloudapi.net/x", "https://management.usgovcloudapi.net/", True),
        (f"{LOCAL}/x", LOCAL, True),
        ("https://management.usgovcloudapi.net/x", PUBLIC, False),
        ("http://management.azure.com/x", PUBLIC, False),
        ("http://management.azure.com:443/x", PUBLIC, False),
        ("https://management.azure.com:8443/x", PUBLIC, False),
        ("https://localhost:8444/x", LOCAL, False),
        ("https://localhost/x", LOCAL, False),
        ("https://evilmanagement.azure.com/x", PUBLIC, False),
        ("https://management.azure.com.evil.example/x", PUBLIC, False),
        ("https://management.azure.com@evil.example/x", PUBLIC, False),
        ("https://evil.example\\@management.azure.com/x", PUBLIC, False),
        ("//management.azure.com/x", PUBLIC, False),
        ("/operation", PUBLIC, False),
        ("", PUBLIC, False),
    ],
)
def test_what_is_arm(address: str, arm: str, own: bool) -> None:
    assert is_arm(address, arm) is own
