"""Links between private DNS zones and virtual networks: who resolves a zone's names, whose machines are in it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from plstui.domain.ids import ResourceId
from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.ports import Json
from plstui.sandbox.providers.base import ResourceEndpoint
from plstui.sandbox.providers.privatedns import counts, operations, preconditions
from plstui.sandbox.providers.privatedns.recordtypes import PAGE, invalid
from plstui.sandbox.providers.privatedns.zones import LINK, check_global
from plstui.sandbox.providers.resources import listing
from plstui.sandbox.store import Body, Store

RESOLUTION_POLICY_SINCE = "2024-06-01"
"""The api-version that knows `resolutionPolicy` first; it is for links of `privatelink.` zones alone."""

REGISTERING = 60.0
"""Seconds for which a link that registers machines is at work; recorded ones are, half a minute after the request."""

_VIRTUAL_NETWORK = "Microsoft.Network/virtualNetworks"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a write asks for; None leaves a thing as it is."""

    tags: dict[str, str] | None
    network: ResourceId | None
    registers: bool | None
    policy: str | None


def remove(store: Store, link: Json) -> None:
    """Remove a link, and let the zone count it."""
    link_id = ResourceId(link["id"])
    store.delete(link_id)
    if zone_id := link_id.parent:
        _count(store, zone_id, -1, -int(link["properties"]["registrationEnabled"]))


def _count(store: Store, zone_id: ResourceId, links: int, registering: int) -> None:
    counts.add(
        store, zone_id, numberOfVirtualNetworkLinks=links, numberOfVirtualNetworkLinksWithRegistration=registering
    )


class VirtualNetworkLinks(ResourceEndpoint):
    """Links. They appear, change and go when the operation has ended."""

    type = LINK

    def __init__(self, azure: Azure) -> None:
        super().__init__(azure)
        self._registering: dict[str, float] = {}
        """When each link began to register machines, by the key of its id."""

    async def get(self, call: Call) -> Response:
        """GET of one link, with its etag in the header too."""
        link = self._link(call)
        return Response(200, self.shape(call, link), {"ETag": link["etag"]})

    async def list(self, call: Call) -> Response:
        """GET of a zone's links."""
        self._check_zone(call, call.named, "read")
        links = [link for link in self.azure.store.of_type(self.type) if ResourceId(link["id"]).parent == call.named]
        return listing.page(call, [self.shape(call, link) for link in links], PAGE)

    async def put(self, call: Call) -> Response:
        """PUT of one link."""
        check_global(call, self.type)
        self._check_zone(call, call.named.parent, "write")
        wanted = self._read(call)
        if wanted.network is None:
            raise invalid("The property 'virtualNetwork' of a virtual network link is missing.")
        self._check_network(call, wanted.network)
        replaced = _Wanted(wanted.tags, wanted.network, bool(wanted.registers), wanted.policy or "Default")
        return operations.accept(
            self.azure, call, lambda: self._write(call, replaced, keep_tags=False), operations.WRITE
        )

    async def patch(self, call: Call) -> Response:
        """PATCH of one link: what is sent is replaced, the rest stays."""
        self._link(call)
        wanted = self._read(call)
        return operations.accept(self.azure, call, lambda: self._write(call, wanted, keep_tags=True), operations.WRITE)

    async def delete(self, call: Call) -> Response:
        """DELETE of one link: 204 when there is none, and when there is no zone either."""
        if self.azure.store.get(call.named) is None:
            return Response(204)
        return operations.accept(self.azure, call, lambda: self._remove(call), operations.DELETE, deletes=True)

    def shape(self, call: Call, body: Body) -> Body:
        """A link as this api-version shows it now."""
        since = self._registering.get(ResourceId(body["id"]).key, -REGISTERING)
        if body["properties"]["registrationEnabled"] and self.azure.clock.time() - since < REGISTERING:
            body = {**body, "properties": {**body["properties"], "virtualNetworkLinkState": "InProgress"}}
        if call.api_version[:10] >= RESOLUTION_POLICY_SINCE:
            return body
        return {**body, "properties": {k: v for k, v in body["properties"].items() if k != "resolutionPolicy"}}

    def _link(self, call: Call) -> Body:
        found = self.azure.store.get(call.named)
        if found is None:
            raise errors.resource_not_found(call.named)
        return dict(found)

    def _read(self, call: Call) -> _Wanted:
        sent = call.fields.fields("properties")
        policy = sent.word("resolutionPolicy", "Default", "NxDomainRedirect") or None
        if policy == "NxDomainRedirect" and not _has_policy(call.named):
            raise invalid("The resolution policy 'NxDomainRedirect' is for links of privatelink zones only.")
        return _Wanted(
            tags=call.fields.tags() if "tags" in call.fields else None,
            network=sent.reference("virtualNetwork"),
            registers=sent.flag("registrationEnabled") if "registrationEnabled" in sent else None,
            policy=policy,
        )

    def _check_zone(self, call: Call, zone_id: ResourceId | None, verb: str) -> None:
        if zone_id is None or self.azure.store.get(zone_id) is None:
            raise errors.parent_not_found(verb, self.type, zone_id or call.named)

    def _check_network(self, call: Call, network: ResourceId) -> None:
        if not network.is_type(_VIRTUAL_NETWORK):
            raise invalid(f"The id '{network.text[:300]}' is not the id of a virtual network.")
        subscription = self.azure.directory.subscriptions.get(network.subscription.lower())
        if subscription is None or subscription.tenant.lower() != call.client.tenant.lower():
            raise errors.linked_authorization_failed(
                f"{_VIRTUAL_NETWORK}/join/action", call.named, call.client.tenant, network.subscription
            )
        if self.azure.store.get(network) is None:
            raise invalid(f"The virtual network '{network}' does not exist.")

    def _write(self, call: Call, wanted: _Wanted, *, keep_tags: bool) -> None:
        """Runs when the operation ends: everything may have changed since the request."""
        store = self.azure.store
        self._check_zone(call, call.named.parent, "write")
        old = store.get(call.named)
        preconditions.check(call.request.headers, old, f"Virtual network link {call.named.name}")
        if old is None and wanted.network is None:
            raise errors.resource_not_found(call.named)
        before = dict(old["properties"]) if old else {}
        network = wanted.network or ResourceId(before["virtualNetwork"]["id"])
        if old and network != ResourceId(before["virtualNetwork"]["id"]):
            raise invalid("The virtual network of an existing virtual network link cannot be changed.")
        self._check_network(call, network)
        registers = bool(before.get("registrationEnabled")) if wanted.registers is None else wanted.registers
        self._check_others(call, network, registers)
        if registers and not before.get("registrationEnabled"):
            self._registering[call.named.key] = self.azure.clock.time()
        tags = old.get("tags") if old and keep_tags and wanted.tags is None else wanted.tags
        link_id = ResourceId(old["id"]) if old else call.named
        policy = wanted.policy or before.get("resolutionPolicy", "Default")
        store.put(
            {
                "id": link_id.text,
                "name": link_id.name,
                "type": self.type,
                "etag": f'"{secrets.token_hex(4)}-0000-0100-0000-{secrets.token_hex(4)}0000"',
                "location": "global",
                **({} if tags is None else {"tags": tags}),
                "properties": {
                    "provisioningState": "Succeeded",
                    "registrationEnabled": registers,
                    **({"resolutionPolicy": policy} if _has_policy(link_id) else {}),
                    "virtualNetwork": {"id": network.text},
                    "virtualNetworkLinkState": "Completed",
                },
            }
        )
        if zone_id := link_id.parent:
            _count(store, zone_id, int(old is None), int(registers) - int(bool(before.get("registrationEnabled"))))

    def _check_others(self, call: Call, network: ResourceId, registers: bool) -> None:
        """A network sees one zone of a name, and registers its machines in one zone."""
        zone_id = call.named.parent
        assert zone_id is not None, "a link is in a zone"
        for link in self.azure.store.of_type(self.type):
            link_id, properties = ResourceId(link["id"]), link["properties"]
            other = link_id.parent
            if other is None or link_id == call.named or ResourceId(properties["virtualNetwork"]["id"]) != network:
                continue
            if other.name.lower() == zone_id.name.lower():
                raise invalid(
                    "A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to "
                    f"link virtual network with '{other.name}' and '{zone_id.name}' zones."
                )
            if registers and properties["registrationEnabled"]:
                raise ArmError(
                    409,
                    "Conflict",
                    "A virtual network can only be linked to 1 Private DNS zone(s) with auto-registration enabled; "
                    f"conflicting Private DNS zone is '{other}'.",
                    envelope=False,
                )

    def _remove(self, call: Call) -> None:
        link = self.azure.store.get(call.named)
        if link is not None:
            preconditions.check(call.request.headers, link, f"Virtual network link {call.named.name}")
            remove(self.azure.store, link)


def _has_policy(link_id: ResourceId) -> bool:
    return link_id.parent is not None and link_id.parent.name.lower().startswith("privatelink.")
