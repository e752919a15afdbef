"""Public addresses. They come from the blocks that are set aside for documentation: nobody can reach them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request, invalid_reference
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import links
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.refusals import missing
from plstui.sandbox.store import Body, Store

TYPE = "Microsoft.Network/publicIPAddresses"
PREFIX = "Microsoft.Network/publicIPPrefixes"

_BLOCKS = {
    "IPv4": tuple(map(ip_network, ("203.0.113.0/24", "198.51.100.0/24", "198.18.0.0/15"))),
    "IPv6": (ip_network("2001:db8::/64"),),
}


def next_address(store: Store, version: str) -> str:
    """The first public address of `IPv4` or `IPv6` that nobody has."""
    used = {body["properties"].get("ipAddress") for body in store.of_type(TYPE)}
    return next(str(address) for block in _BLOCKS[version] for address in block.hosts() if str(address) not in used)


def user_of(body: Body) -> str | None:
    """What a public address is given to."""
    for back in ("ipConfiguration", "natGateway"):
        if reference := body["properties"].get(back):
            return str(reference["id"])
    return None


def lend(store: Store, interface: Body) -> None:
    """Give the dynamic public addresses of an interface out while a machine has it, and take them back after that."""
    for configuration in interface["properties"]["ipConfigurations"]:
        reference = configuration["properties"].get("publicIPAddress")
        body = store.get(ResourceId(reference["id"])) if reference else None
        if body is None or body["properties"]["publicIPAllocationMethod"] != "Dynamic":
            continue
        user = user_of(dict(body))
        owner = store.get(links.root_id(ResourceId(user))) if user else None
        wanted = owner is not None and "virtualMachine" in owner["properties"]
        if wanted == ("ipAddress" in body["properties"]):
            continue
        new = links.fork(dict(body))
        if wanted:
            new["properties"]["ipAddress"] = next_address(store, new["properties"]["publicIPAddressVersion"])
        else:
            del new["properties"]["ipAddress"]
        links.stamp(new, links.new_etag())
        store.put(new)


def check_free(body: Body, by: ResourceId) -> None:
    """Raise the 400 for a public address that somebody else has."""
    user = user_of(body)
    if user is not None and ResourceId(user) != by:
        raise bad_request(
            "PublicIPAddressInUse",
            f"Resource {by} is referencing public IP address {body['id']} that is already allocated to resource "
            f"{user}.",
        )


def prefix_of(fields: Fields, name: str, by: ResourceId) -> Body | None:
    """A reference to a public prefix, if one was sent. The sandbox has none, and so none is missed."""
    wanted = fields.reference(name)
    return shown_prefix(wanted, by) if wanted else None


def shown_prefix(wanted: ResourceId, by: ResourceId) -> Body:
    """A reference to a public prefix in the type's own spelling; raises the 400 for anything else."""
    if not wanted.is_type(PREFIX):
        raise invalid_reference(wanted, by)
    return {"id": f"{wanted.parent}/providers/{PREFIX}/{wanted.name}"}


def sku(fields: Fields, old: Body | None, *names: str, default: str) -> Body:
    """The SKU of a resource, which cannot change."""
    sent = fields.fields("sku")
    name = sent.word("name", *names, default=old["sku"]["name"] if old else default)
    tier = sent.word("tier", "Regional", "Global", default=old["sku"]["tier"] if old else "Regional")
    if old and {"name": name, "tier": tier} != old["sku"]:
        raise property_change("sku")
    return {"name": name, "tier": tier}


def property_change(name: str) -> ArmError:
    """409 for a property that is said once and for all."""
    return ArmError(409, "PropertyChangeNotAllowed", f"Changing property '{name}' is not allowed.", details=())


class PublicAddresses(NetworkEndpoint):
    """Public IP addresses; a static address is there once the operation has ended, a dynamic one with a machine."""

    type: ClassVar[str] = TYPE
    order: ClassVar[tuple[str, ...]] = ("name", "id", "etag", "location", "tags", "zones", "properties", "type")
    put_pace: ClassVar[Pace] = Pace(2, 1)

    def build(self, call: Call, old: Body | None) -> Body:
        """An address."""
        fields = call.fields.fields("properties")
        kind = sku(call.fields, old, "Basic", "Standard", default="Basic")
        standard = kind["name"] == "Standard"
        method = fields.word(
            "publicIPAllocationMethod", "Static", "Dynamic", default="Static" if standard else "Dynamic"
        )
        if kind["tier"] == "Global" and not standard:
            raise bad_request(
                "GlobalPublicIPAddressNotSupportedForBasicPublicIpAddress",
                "Global publicIP addresses are only supported for standard SKU public IP addresses. Public IP address "
                f"{call.named} is not standard SKU.",
            )
        if standard and method == "Dynamic":
            raise bad_request(
                "StandardSkuPublicIPAddressesMustUseStaticAllocation",
                f"Standard sku publicIp {call.named} must have AllocationMethod set to Static.",
            )
        properties: Body = {}
        if old and "ipAddress" in old["properties"]:
            properties["ipAddress"] = old["properties"]["ipAddress"]
        properties["publicIPAddressVersion"] = fields.word("publicIPAddressVersion", "IPv4", "IPv6", default="IPv4")
        properties["publicIPAllocationMethod"] = method
        properties["idleTimeoutInMinutes"] = fields.number("idleTimeoutInMinutes", 4)
        if "dnsSettings" in fields:
            properties["dnsSettings"] = self._dns(call, fields.fields("dnsSettings"), old)
        properties["ipTags"] = [
            {"ipTagType": tag.text("ipTagType"), "tag": tag.text("tag")} for tag in fields.objects("ipTags")
        ]
        if standard:
            mode = fields.fields("ddosSettings").word(
                "protectionMode", "VirtualNetworkInherited", "Enabled", "Disabled", default="VirtualNetworkInherited"
            )
            properties["ddosSettings"] = {"protectionMode": mode}
        if prefix := prefix_of(fields, "publicIPPrefix", call.named):
            properties["publicIPPrefix"] = prefix
        zones = {"zones": call.fields.texts("zones")} if "zones" in call.fields else {}
        return self.head(call, old, properties, sku=kind, **zones)

    def _dns(self, call: Call, fields: Fields, old: Body | None) -> Body:
        label = fields.text("domainNameLabel").lower()
        if not label:
            raise missing("domainNameLabel", fields.where)
        name = f"{label}.{self.location(call, old)}.cloudapp.azure.com"
        for body in self.azure.store.of_type(TYPE):
            taken = (body["properties"].get("dnsSettings") or {}).get("fqdn")
            if taken == name and ResourceId(body["id"]) != call.named:
                raise bad_request("DnsRecordInUse", f"DNS record {name} is already used by another public IP.")
        return {"domainNameLabel": label, "fqdn": name}

    def completed(self, body: Body) -> Body:
        """A static address is given when it is made."""
        properties = body["properties"]
        if properties["publicIPAllocationMethod"] == "Static" and "ipAddress" not in properties:
            properties["ipAddress"] = next_address(self.azure.store, properties["publicIPAddressVersion"])
        return body

    def check_unused(self, body: Body) -> None:
        """An address that is given to something stays."""
        user = user_of(body)
        if user is not None:
            raise bad_request(
                "PublicIPAddressCannotBeDeleted",
                f"Public IP address {body['id']} can not be deleted since it is still allocated to resource {user}. In "
                "order to delete the public IP, disassociate/detach the Public IP address from the resource.  To learn "
                "how to do this, see aka.ms/deletepublicip.",
            )
