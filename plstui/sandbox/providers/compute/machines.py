"""Virtual machines."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.compute import interfaces, machinebody, polling, shapes, sizes, statuses, storage
from plstui.sandbox.providers.compute.errors import ComputeError, not_allowed
from plstui.sandbox.providers.compute.machinebody import TYPE
from plstui.sandbox.providers.compute.scripts import Scripts
from plstui.sandbox.providers.resources.errands import Errands
from plstui.sandbox.store import Body

CREATE, UPDATE, DELETE = Pace(37, 10), Pace(8), Pace(40, 10)
"""As recorded: a machine takes half a minute to be there, and longer to go."""

REMEMBERED = 60.0
"""Seconds for which the provider, and not the front door, says that a deleted machine is gone."""


class VirtualMachines(ResourceEndpoint):
    """Virtual machines: their life, their power, scripts in them."""

    type: ClassVar[str] = TYPE

    def __init__(self, azure: Azure, scripts: Scripts) -> None:
        super().__init__(azure)
        self._scripts = scripts
        self._gone: dict[ResourceId, float] = {}

    # Reading

    def find(self, resource_id: ResourceId) -> Body:
        """A machine; raises the 404, which is the provider's own for one that was there a moment ago."""
        if self.azure.store.get(resource_id) is None:
            gone = self._gone.get(resource_id)
            if gone is not None and self.azure.clock.time() - gone < REMEMBERED:
                raise ComputeError(404, "NotFound", "The entity was not found in this Azure location.")
        return super().find(resource_id)

    async def list(self, call: Call) -> Response:
        """The machines of a group or a subscription; `statusOnly=true` gives their states alone."""
        if call.request.query.get("statusonly", "").lower() != "true":
            return await super().list(call)
        found = self.azure.store.in_subscription(call.subscription, self.type)
        return Response(200, {"value": [shapes.status_only(body) for body in found]})

    def answer(self, call: Call, body: Body, status: int = 200) -> Response:
        """The answer to a GET; its etag is in the header too, where there is one and no instance view."""
        shown = self.shape(call, body)
        return Response(status, shown, {} if "instanceView" in shown["properties"] else _etag_header(shown))

    def shape(self, call: Call, body: Body) -> Body:
        """The machine as this api-version shows it, with what `$expand` asks for."""
        extensions = self.azure.store.of_type(f"{self.type}/extensions") if call.method == "GET" else ()
        own = [extension for extension in extensions if extension["id"].lower().startswith(body["id"].lower() + "/")]
        return shapes.machine(body, call.api_version, call.request.query.get("$expand", ""), own)

    # Writing

    async def put(self, call: Call) -> Response:
        """Create a machine, or change one."""
        old = self.azure.store.get(call.named)
        return self._write(call, call.fields, dict(old) if old else None)

    async def patch(self, call: Call) -> Response:
        """Change what is sent; the rest stays."""
        old = self.find(call.named)
        return self._write(call, Fields(machinebody.patched(old, call.fields.raw)), old)

    def _write(self, call: Call, fields: Fields, old: Body | None) -> Response:
        self._check_not_deleting(old)
        new = machinebody.build(self.azure, call, fields, old)
        now = self.azure.clock.now()
        power = statuses.power_of(new)
        shown = statuses.with_states(new, "Updating" if old else "Creating", power, now)
        self.azure.store.put(shown)
        interfaces.tie(self.azure, old, shown)
        operation = self.azure.operations.start(
            lambda: self._provision(ResourceId(new["id"])),
            UPDATE if old else CREATE,
            subscription=call.subscription,
            location=new["location"],
            api_version=call.api_version,
            target=new["id"],
            on_failure=lambda: self._settle(ResourceId(new["id"]), "Failed"),
        )
        answer = self.shape(call, shown)
        response = polling.accepted(self.azure, call, operation, 200 if old else 201, answer)
        return replace(response, headers={**response.headers, **_etag_header(answer)})

    @staticmethod
    def _check_not_deleting(body: Body | None) -> None:
        if body and body["properties"]["provisioningState"] == "Deleting":
            raise not_allowed(f"Operation is not allowed on VM '{body['name']}' since the VM is marked for deletion.")

    # Ends of operations

    def _provision(self, resource_id: ResourceId) -> None:
        body = self.azure.store.get(resource_id)
        if body is None or body["properties"]["provisioningState"] == "Deleting":
            return
        new = deepcopy(dict(body))
        now = self.azure.clock.now()
        new["properties"]["storageProfile"] = storage.provision(self.azure, new, now)
        self._store(new, "Succeeded", statuses.power_of(new) or statuses.RUNNING, now)

    def _settle(self, resource_id: ResourceId, state: str, power: str | None = None) -> None:
        body = self.azure.store.get(resource_id)
        if body is not None:
            now = self.azure.clock.now()
            self._store(dict(body), state, statuses.power_of(dict(body)) if power is None else power, now)

    def _store(self, body: Body, state: str, power: str, now: datetime) -> None:
        self.azure.store.put(statuses.with_states(body, state, power, now))

    async def delete(self, call: Call) -> Response:
        """Delete a machine; its interfaces and disks stay unless they were to go with it."""
        body = self.azure.store.get(call.named)
        if body is None:
            return Response(204)
        under_way = self.azure.operations.under_way(body["id"])
        if body["properties"]["provisioningState"] == "Deleting" and under_way:
            return polling.accepted(self.azure, call, under_way, 202)
        self._store(dict(body), "Deleting", "", self.azure.clock.now())
        operation = self.azure.operations.start(
            lambda: self._remove(call, ResourceId(body["id"])),
            DELETE,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self._settle(ResourceId(body["id"]), "Failed"),
        )
        return polling.accepted(self.azure, call, operation, 202)

    async def _remove(self, call: Call, resource_id: ResourceId) -> None:
        body = self.azure.store.get(resource_id)
        if body is None:
            return
        interfaces.tie(self.azure, dict(body), None)
        profile = body["properties"]["storageProfile"]
        disks: Sequence[Body] = [
            disk for disk in (profile["osDisk"], *profile["dataDisks"]) if "id" in disk["managedDisk"]
        ]
        for disk in disks:
            if known := self.azure.store.get(disk["managedDisk"]["id"]):
                self.azure.store.put(storage.attached(dict(known), None))
        self.azure.store.delete(resource_id)
        now = self.azure.clock.time()
        self._gone = {known: time for known, time in self._gone.items() if now - time < REMEMBERED}
        self._gone[resource_id] = now
        errands = Errands(self.azure, call.client)
        for nic in body["properties"]["networkProfile"]["networkInterfaces"]:
            if (nic.get("properties") or {}).get("deleteOption") == "Delete":
                # One that something else holds meanwhile stays.
                await errands.delete(nic["id"], interfaces.API_VERSION)
        for disk in disks:
            if disk["deleteOption"] == "Delete":
                self.azure.store.delete(ResourceId(disk["managedDisk"]["id"]))

    # Actions

    async def act(self, call: Call) -> Response:
        """Power, scripts, and the views that are read like actions."""
        body = self.find(call.named)
        if call.method == "GET":
            match call.action:
                case "instanceview":
                    return Response(200, shapes.instance_view(body))
                case "vmsizes":
                    return Response(200, sizes.sizes_body())
        if call.method != "POST":
            raise errors.method_not_allowed(call.method)
        self._check_not_deleting(body)
        match call.action:
            case "start":
                return self._power(call, body, statuses.STARTING, statuses.RUNNING, Pace(12, 10))
            case "restart" | "redeploy":
                return self._power(call, body, statuses.STARTING, statuses.RUNNING, Pace(20, 10))
            case "poweroff":
                return self._power(call, body, statuses.STOPPING, statuses.STOPPED, Pace(15, 10))
            case "deallocate":
                return self._power(call, body, statuses.DEALLOCATING, statuses.DEALLOCATED, Pace(30, 10))
            case "reapply":
                power = statuses.power_of(body)
                return self._power(call, body, power, power, UPDATE)
            case "generalize":
                if statuses.power_of(body) not in (statuses.STOPPED, statuses.DEALLOCATED):
                    raise not_allowed("The VM must be stopped before it is generalized.")
                return Response(200)
            case "runcommand":
                return self._scripts.action(call, body)
        return await super().act(call)

    def _power(self, call: Call, body: Body, passing: str, final: str, pace: Pace) -> Response:
        now = statuses.power_of(body)
        if call.action in ("restart", "redeploy") and now != statuses.RUNNING:
            raise not_allowed(f"Cannot {call.action} the VM '{body['name']}': it is not running.")
        if final == statuses.STOPPED and now == statuses.DEALLOCATED:
            final = passing = now
        if final == now and call.action == "start":
            passing = now
        self._store(body, "Updating", passing, self.azure.clock.now())
        resource_id = ResourceId(body["id"])
        operation = self.azure.operations.start(
            lambda: self._settle(resource_id, "Succeeded", final),
            pace,
            subscription=call.subscription,
            location=body["location"],
            api_version=call.api_version,
            target=body["id"],
            on_failure=lambda: self._settle(resource_id, "Failed", now),
        )
        return polling.accepted(self.azure, call, operation, 202)


def _etag_header(shown: Body) -> dict[str, str]:
    """The etag of a machine as a header, at api-versions whose machines have one."""
    return {"ETag": shown["etag"]} if "etag" in shown else {}


class MachinesInRegion(ResourceEndpoint):
    """The machines of a subscription that are in one region."""

    type: ClassVar[str] = "Microsoft.Compute/locations/virtualMachines"

    def __init__(self, machines: VirtualMachines) -> None:
        super().__init__(machines.azure)
        self._machines = machines

    async def list(self, call: Call) -> Response:
        """Every one of them."""
        place = locations.normal(call.named.name)
        found = self.azure.store.in_subscription(call.subscription, TYPE)
        return Response(
            200, {"value": [self._machines.shape(call, body) for body in found if body["location"] == place]}
        )
