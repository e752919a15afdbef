"""Resources by id: what counts as not there, and what a write is sent with."""

from __future__ import annotations

import pytest

from plstui.arm.side import ArmSide
from plstui.domain.errors import AzureError
from plstui.domain.ids import ResourceId
from tests.arm.server import SUBSCRIPTION, Answer, ArmServer

NETWORK = ResourceId(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net"
)


def gone(code: str) -> Answer:
    return Answer({"error": {"code": code, "message": "It could not be found."}}, 404)


@pytest.mark.parametrize(
    "code", ["ResourceNotFound", "resourcenotfound", "NotFound", "ResourceGroupNotFound", "ParentResourceNotFound"]
)
async def test_what_is_not_there_is_no_error(azure: ArmServer, side: ArmSide, code: str) -> None:
    azure.on("GET", NETWORK.text, gone(code))
    azure.on("DELETE", NETWORK.text, gone(code))

    assert await side.bodies.get(NETWORK) is None
    await side.bodies.delete(NETWORK)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (gone("SubscriptionNotFound"), "SubscriptionNotFound"),
        (gone("InvalidResourceType"), "InvalidResourceType"),
        (Answer("<html><h1>404</h1></html>", 404, content_type="text/html"), "Http404"),
        (Answer(None, 404), "Http404"),
    ],
)
async def test_another_404_says_nothing_about_the_resource(
    azure: ArmServer, side: ArmSide, answer: Answer, code: str
) -> None:
    azure.on("GET", NETWORK.text, answer)
    azure.on("DELETE", NETWORK.text, answer)

    for call in (side.bodies.get, side.bodies.delete):
        with pytest.raises(AzureError) as caught:
            await call(NETWORK)
        assert caught.value.code == code
