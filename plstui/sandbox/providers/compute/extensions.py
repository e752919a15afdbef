"""Extensions of machines: kept and shown. None of them does anything in the sandbox."""

from __future__ import annotations

from typing import ClassVar

from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.compute import polling
from plstui.sandbox.providers.compute.children import MachineChild
from plstui.sandbox.providers.compute.errors import missing
from plstui.sandbox.store import Body

PUT = Pace(10)


class Extensions(MachineChild):
    """Extensions of a machine."""

    type: ClassVar[str] = "Microsoft.Compute/virtualMachines/extensions"

    async def put(self, call: Call) -> Response:
        """Install an extension, or change one."""
        machine = self.machine(call, "write")
        old = self.azure.store.get(call.named)
        body = self.head(call, machine, dict(old) if old else None)
        fields = call.fields.fields("properties")
        for name in ("publisher", "type", "typeHandlerVersion"):
            if not fields.text(name):
                raise missing(f"properties.{name}")
        return self._accept(call, body, _properties(fields, {}), created=old is None)

    async def patch(self, call: Call) -> Response:
        """Change what is sent."""
        machine = self.machine(call, "write")
        old = self.find(call.named)
        body = {**{k: v for k, v in old.items() if k == "tags"}, **self.head(call, machine, old)}
        return self._accept(call, body, _properties(call.fields.fields("properties"), old["properties"]), created=False)

    def _accept(self, call: Call, head: Body, properties: Body, *, created: bool) -> Response:
        properties["provisioningState"] = "Creating" if created else "Updating"
        body = {**head, "properties": properties}
        self.azure.store.put(body)
        operation = self.azure.operations.start(
            lambda: self.set_state(body["id"], "Succeeded"),
            PUT,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self.set_state(body["id"], "Failed"),
        )
        return polling.accepted(self.azure, call, operation, 201 if created else 200, self.shape(call, body))

    def shape(self, call: Call, body: Body) -> Body:
        """With the instance view where it is asked for."""
        if "instanceview" not in call.request.query.get("$expand", "").lower():
            return body
        properties = body["properties"]
        done = {"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Provisioning succeeded"}
        view = {
            "name": body["name"],
            "type": f"{properties['publisher']}.{properties['type']}",
            "typeHandlerVersion": properties["typeHandlerVersion"],
            "statuses": [done],
        }
        return {**body, "properties": {**properties, "instanceView": view}}


def _properties(fields: Fields, old: Body) -> Body:
    """What is kept of an extension: protected settings are not."""
    properties: Body = {
        "autoUpgradeMinorVersion": fields.flag("autoUpgradeMinorVersion", old.get("autoUpgradeMinorVersion", False)),
        "provisioningState": "",
    }
    for name in ("enableAutomaticUpgrade", "suppressFailures"):
        if name in fields or name in old:
            properties[name] = fields.flag(name, old.get(name, False))
    for name in ("forceUpdateTag", "publisher", "type", "typeHandlerVersion"):
        if text := fields.text(name) or old.get(name, ""):
            properties[name] = text
    settings = fields.fields("settings").raw if "settings" in fields else old.get("settings", {})
    return {**properties, "settings": settings}
