"""Network security groups with their rules."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import ClassVar

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError, bad_request
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.network import links
from plstui.sandbox.providers.network.base import NetworkEndpoint
from plstui.sandbox.providers.network.bodies import UPDATING, child_body
from plstui.sandbox.providers.network.children import NetworkChild
from plstui.sandbox.providers.network.refusals import check_unique, child_name, missing
from plstui.sandbox.store import Body

TYPE = "Microsoft.Network/networkSecurityGroups"
RULE = f"{TYPE}/securityRules"
ASG = "Microsoft.Network/applicationSecurityGroups"

PRIORITIES = range(100, 4097)

_EVERYBODY, _VNET = "*", "VirtualNetwork"
_DEFAULTS = (
    ("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", _VNET, _VNET, "Allow", 65000, "Inbound"),
    (
        "AllowAzureLoadBalancerInBound",
        "Allow inbound traffic from azure load balancer",
        "AzureLoadBalancer",
        _EVERYBODY,
        "Allow",
        65001,
        "Inbound",
    ),
    ("DenyAllInBound", "Deny all inbound traffic", _EVERYBODY, _EVERYBODY, "Deny", 65500, "Inbound"),
    (
        "AllowVnetOutBound",
        "Allow outbound traffic from all VMs to all VMs in VNET",
        _VNET,
        _VNET,
        "Allow",
        65000,
        "Outbound",
    ),
    (
        "AllowInternetOutBound",
        "Allow outbound traffic from all VMs to Internet",
        _EVERYBODY,
        "Internet",
        "Allow",
        65001,
        "Outbound",
    ),
    ("DenyAllOutBound", "Deny all outbound traffic", _EVERYBODY, _EVERYBODY, "Deny", 65500, "Outbound"),
)


def default_rules(group_id: ResourceId) -> list[Body]:
    """The six rules that every group has."""
    return [
        {
            "name": name,
            "id": group_id.child("defaultSecurityRules", name).text,
            "etag": "",
            "type": f"{TYPE}/defaultSecurityRules",
            "properties": {
                "provisioningState": UPDATING,
                "description": description,
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": source,
                "destinationAddressPrefix": destination,
                "access": access,
                "priority": priority,
                "direction": direction,
                "sourcePortRanges": [],
                "destinationPortRanges": [],
                "sourceAddressPrefixes": [],
                "destinationAddressPrefixes": [],
            },
        }
        for name, description, source, destination, access, priority, direction in _DEFAULTS
    ]


def build_rule(endpoint: NetworkEndpoint, call: Call, group: Body, name: str, sent: Fields, old: Body | None) -> Body:
    """A rule of `group` as `sent` asks for it."""
    group_id = ResourceId(group["id"])
    rule_id = ResourceId(old["id"]) if old else group_id.child("securityRules", name)
    fields = sent.fields("properties")
    for needed in ("protocol", "access", "direction", "priority"):
        if needed not in fields:
            raise missing(needed, fields.where)
    properties: Body = {"description": fields.text("description")} if "description" in fields else {}
    properties["protocol"] = fields.word("protocol", "*", "Tcp", "Udp", "Icmp", "Esp", "Ah")
    for end in ("source", "destination"):
        if port := fields.text(f"{end}PortRange"):
            properties[f"{end}PortRange"] = _port(port)
    for end in ("source", "destination"):
        if f"{end}AddressPrefix" in fields:
            properties[f"{end}AddressPrefix"] = _prefix(fields.text(f"{end}AddressPrefix"))
    priority = fields.number("priority")
    if priority not in PRIORITIES:
        raise bad_request(
            "SecurityRuleInvalidPriority",
            f"Security rule has invalid Priority. Value provided: {priority} Allowed range 100-4096.",
        )
    properties["access"] = fields.word("access", "Allow", "Deny")
    properties["priority"] = priority
    properties["direction"] = fields.word("direction", "Inbound", "Outbound")
    for end in ("source", "destination"):
        properties[f"{end}PortRanges"] = [_port(text) for text in fields.texts(f"{end}PortRanges", MOST_IN_RULE)]
    for end in ("source", "destination"):
        properties[f"{end}AddressPrefixes"] = [
            _prefix(text) for text in fields.texts(f"{end}AddressPrefixes", MOST_IN_RULE)
        ]
    for end in ("source", "destination"):
        groups = [
            endpoint.require(wanted, by=rule_id, kind=ASG, call=call, location=group["location"])["id"]
            for wanted in fields.references(f"{end}ApplicationSecurityGroups")
        ]
        if groups:
            properties[f"{end}ApplicationSecurityGroups"] = [{"id": one} for one in groups]
    _check_ends(rule_id, properties)
    return child_body(group_id, RULE, rule_id.name, properties)


def _check_ends(rule_id: ResourceId, properties: Body) -> None:
    """Either end of a rule has to be said, and in one way only."""
    for end in ("source", "destination"):
        ways = (f"{end}AddressPrefix", f"{end}AddressPrefixes", f"{end}ApplicationSecurityGroups")
        used = [way for way in ways if properties.get(way)]
        if len(used) != 1:
            what = "must specify one of" if not used else "cannot specify more than one of"
            raise bad_request(
                "SecurityRuleAddressPrefixOrApplicationSecurityGroupRequired"
                if not used
                else "SecurityRuleCannotHaveBothAddressPrefixAndApplicationSecurityGroup",
                f"Security rule {rule_id} {what} {', '.join(ways)}.",
            )
        ports = [properties.get(f"{end}PortRange"), properties.get(f"{end}PortRanges")]
        if not any(ports):
            raise bad_request(
                "SecurityRuleInvalidPortRange",
                f"Security rule {rule_id} must specify one of {end}PortRange, {end}PortRanges.",
            )


def _port(text: str) -> str:
    """A port, a range of ports, or all of them."""
    bounds = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    if text == "*":
        return text
    if bounds:
        low, high = int(bounds[1]), int(bounds[2] or bounds[1])
        if low <= high <= 65535:
            return text
    raise bad_request(
        "SecurityRuleInvalidPortRange",
        f"Security rule has invalid Port range. Value provided: {text[:60]}. Value should be an integer OR integer "
        "range with '-' delimiter. Valid range 0-65535.",
    )


MOST_IN_RULE = 4_000
"""Addresses or ports that a rule may name, Azure's own limit."""

_TAG = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)*")


def _prefix(text: str) -> str:
    """An address, a prefix, a service tag, or `*`. A bare number is an address to Azure."""
    if text in ("", "*") or _TAG.fullmatch(text) or (text.isdecimal() and len(text) <= 10):
        return text
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise bad_request(
            "SecurityRuleInvalidAddressPrefix",
            f"Security rule has invalid Address prefix. Value provided: {text[:60]}",
        ) from None
    return text


def check_rules(rules: list[Body]) -> None:
    """Raise the 400 for two rules of one direction with one priority."""
    seen: dict[tuple[str, int], str] = {}
    for rule in rules:
        key = rule["properties"]["direction"], rule["properties"]["priority"]
        if key in seen:
            raise bad_request(
                "SecurityRuleConflict",
                f"Security rule {seen[key]} conflicts with rule {rule['name']}. Rules cannot have the same Priority "
                "and Direction. To learn more, see aka.ms/nsgrules.",
            )
        seen[key] = rule["name"]


class SecurityGroups(NetworkEndpoint):
    """Network security groups."""

    type: ClassVar[str] = TYPE
    put_pace: ClassVar[Pace] = Pace(1, 1)
    delete_pace: ClassVar[Pace] = Pace(1, 1)

    def build(self, call: Call, old: Body | None) -> Body:
        """A group; the list of rules replaces the one that is there."""
        body = self.head(call, old, {"securityRules": []})
        group_id, rules = ResourceId(body["id"]), []
        for sent in call.fields.fields("properties").objects("securityRules"):
            name = child_name(sent, group_id, "securityRules")
            former = links.part_of(old, group_id.child("securityRules", name)) if old else None
            rules.append(build_rule(self, call, body, name, sent, former))
        check_unique(group_id, (rule["name"] for rule in rules))
        check_rules(rules)
        body["properties"]["securityRules"] = rules
        body["properties"]["defaultSecurityRules"] = default_rules(group_id)
        return body

    def check_unused(self, body: Body) -> None:
        """A group on a subnet or an interface stays."""
        properties = body["properties"]
        users = [*(properties.get("networkInterfaces") or ()), *(properties.get("subnets") or ())]
        if users:
            raise _in_use(body["id"], ", ".join(user["id"] for user in users))


def _in_use(group_id: str, users: str) -> ArmError:
    return bad_request(
        "InUseNetworkSecurityGroupCannotBeDeleted",
        f"Network security group {group_id} cannot be deleted because it is in use by the following resources: "
        f"{users}. In order to delete the Network security group, remove the association with the resource(s). To "
        "learn how to do this, see aka.ms/deletensg.",
    )


class SecurityRules(NetworkChild):
    """Rules with PUT and DELETE of their own."""

    type: ClassVar[str] = RULE
    put_pace: ClassVar[Pace] = Pace(1, 1)
    always_updates: ClassVar[bool] = True

    def build_child(self, call: Call, parent: Body, old: Body | None) -> Body:
        """One rule, which may not conflict with its siblings."""
        rule = build_rule(self, call, parent, call.named.name, call.fields, old)
        others = [
            one for one in parent["properties"]["securityRules"] if ResourceId(one["id"]) != ResourceId(rule["id"])
        ]
        check_rules([*others, rule])
        return rule
