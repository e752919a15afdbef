"""The lab's settings against what Azure takes: names, the message, the zone, the service of somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from plstui.config.settings import Lab
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.lab.checks.problem import Problem

MESSAGE = 140
"""Characters of a private endpoint's request message at most."""

ZONE = 253
LABEL = 63
"""Characters of a name in the DNS, and of each of its parts."""

WINDOWS_USER = 20
"""Characters of a user's name on Windows."""

SERVICE = "Microsoft.Network/privateLinkServices"

_ISV = frozenset(
    {
        *("isv_group", "virtual_network", "subnet", "security_group", "application_security_group", "nat_gateway"),
        *("nat_address", "ssh_key", "machine", "balancer", "frontend", "pool", "service"),
    }
)
"""The names that the ISV's side needs; the others are the customer's."""

_LENGTHS = {"virtual_network": (2, 64), "customer_network": (2, 64), "endpoint": (2, 64)}
"""Characters at least and at most, of types that are stricter than the 80 that the settings allow."""

_GROUPS = frozenset({"isv_group", "customer_group"})
_GROUP = re.compile(r"[\w().-]*[\w()-]")
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
"""What a resource may be called; only groups may have parentheses, or begin or end with other signs."""

RESERVED_SUBNETS = frozenset(
    {
        *("gatewaysubnet", "azurefirewallsubnet", "azurefirewallmanagementsubnet", "azurebastionsubnet"),
        "routeserversubnet",
    }
)
"""Subnets with these names are for gateways, firewalls and the like and take no machines."""

RESERVED_USERS = frozenset(
    {
        *("1", "123", "a", "actuser", "adm", "admin", "admin1", "admin2", "administrator", "aspnet", "backup"),
        *("console", "david", "guest", "john", "owner", "root", "server", "sql", "support", "support_388945a0", "sys"),
        *("test", "test1", "test2", "test3", "user", "user1", "user2", "user3", "user4", "user5"),
    }
)
"""Names that Azure refuses for who signs in to a machine."""

RESERVED_ZONES = frozenset(
    {
        *("azclient.ms", "azure.com", "cloudapp.net", "core.windows.net", "microsoft.com", "msidentity.com"),
        *("trafficmanager.net", "windows.net"),
    }
)
"""Zones that cannot be made private: what Azure itself is found by is under them."""


def check(lab: Lab, subscriptions: Mapping[Side, str]) -> Iterator[Problem]:
    """What cannot be called so, of the sides that have a subscription."""
    yield from _names(lab, subscriptions)
    if Side.CUSTOMER in subscriptions:
        yield from _zone(lab)
        yield from _service(lab, subscriptions)


def _names(lab: Lab, subscriptions: Mapping[Side, str]) -> Iterator[Problem]:
    for key in lab.names.__struct_fields__:
        name = getattr(lab.names, key)
        if (Side.ISV if key in _ISV else Side.CUSTOMER) in subscriptions and (reason := _fault(key, name)):
            yield _problem(f"lab.names.{key}", name, reason, f"Set another name in lab.names.{key}.")
    isv, customer = (subscriptions.get(side, "").lower() for side in Side)
    groups = lab.names.isv_group, lab.names.customer_group
    if isv and isv == customer and groups[0].lower() == groups[1].lower():
        yield _problem(
            "lab.names.customer_group",
            groups[1],
            "it is the ISV's group too, in the same subscription",
            "Give each side a group of its own, so that one can be removed without the other.",
        )
    if lab.user in RESERVED_USERS:
        yield _problem("lab.user", lab.user, "Azure keeps this name from users", "Set another name in lab.user.")
    elif lab.test_machine == "windows" and len(lab.user) > WINDOWS_USER:
        reason = f"Windows takes {WINDOWS_USER} characters at most"
        yield _problem("lab.user", lab.user, reason, "Set a shorter name in lab.user.")


def _fault(key: str, name: str) -> str:
    """Why Azure would refuse a name; empty when it would not."""
    shortest, longest = _LENGTHS.get(key, (1, 80))
    if not shortest <= len(name) <= longest:
        return f"it has {len(name)} characters, and Azure takes {shortest} to {longest} here"
    if key in _GROUPS:
        return ""  # The settings hold it to what Azure takes.
    if not _NAME.fullmatch(f"{name}1" if key == "machine" else name):
        return "it begins and ends with a letter or digit, and between are letters, digits and _ . - alone"
    if key in ("subnet", "customer_subnet") and name.lower() in RESERVED_SUBNETS:
        return "Azure keeps subnets of this name for services of its own"
    return ""


def check_message(message: str) -> Iterator[Problem]:
    """What the customer's request cannot say."""
    if len(message) > MESSAGE:
        yield Problem(
            code="MessageTooLong",
            message=f"The message of the request has {len(message)} characters, and Azure takes {MESSAGE} at most.",
            hint=f"Shorten lab.message by {len(message) - MESSAGE}.",
            setting=True,
        )
    if not message.isprintable():
        yield Problem(
            code="MessageNotText",
            message="The message of the request holds line breaks or characters that nobody can see.",
            hint=f"Set lab.message to plain text on one line: {clean(message, MESSAGE)}",
            setting=True,
        )


def _zone(lab: Lab) -> Iterator[Problem]:
    dns = lab.dns
    if dns.kind == "none":
        return
    full = f"{dns.record}.{dns.zone}"
    if len(full) > ZONE or any(len(label) > LABEL for label in full.split(".")):
        reason = f"a name has {ZONE} characters at most, and each part of it {LABEL}"
        yield _problem("lab.dns.zone", clean(dns.zone, 60), reason, "Set a shorter zone in lab.dns.zone.")
    if dns.kind == "private" and dns.zone.lower() in RESERVED_ZONES:
        reason = "Azure's own services are found in it"
        yield _problem("lab.dns.zone", dns.zone, reason, "Set a zone of your own in lab.dns.zone.")
    if dns.kind == "public" and not dns.group:
        yield Problem(
            code="ZoneWithoutGroup",
            message=f"The public zone {dns.zone} is to be used, and lab.dns.group does not say which group it is in.",
            hint="Set lab.dns.group, or lab.dns.kind to private for a zone that the lab makes itself.",
            setting=True,
        )
    elif dns.kind == "public" and not _GROUP.fullmatch(dns.group):
        reason = "no resource group can be called so"
        yield _problem("lab.dns.group", clean(dns.group, 60), reason, "Set the group of the zone in lab.dns.group.")


def _service(lab: Lab, subscriptions: Mapping[Side, str]) -> Iterator[Problem]:
    service = ResourceId(lab.service_id)
    where = "Ask the ISV for the service's id, /subscriptions/…/privateLinkServices/…, and set it in lab.service_id."
    if not lab.service_id:
        if Side.ISV not in subscriptions:
            yield Problem(
                code="NoService",
                message="Neither the ISV's subscription nor a service to connect to is set.",
                hint=where,
                setting=True,
            )
    elif not service.is_type(SERVICE) or not service.resource_group or not lab.service_id.isprintable():
        reason = "it is not the id of a private link service"
        yield _problem("lab.service_id", clean(lab.service_id, 120), reason, where)
    elif Side.ISV in subscriptions and service != _own_service(lab, subscriptions[Side.ISV]):
        yield Problem(
            code="TwoServices",
            message="lab.service_id names another service than the one that the lab builds for the ISV.",
            hint="Leave lab.service_id out, or leave out the ISV's subscription.",
            setting=True,
        )


def _own_service(lab: Lab, subscription: str) -> ResourceId:
    group = f"/subscriptions/{subscription}/resourceGroups/{lab.names.isv_group}"
    return ResourceId(f"{group}/providers/{SERVICE}/{lab.names.service}")


def _problem(key: str, value: str, reason: str, hint: str) -> Problem:
    return Problem(code="NameNotAllowed", message=f"{key} cannot be {value!r}: {reason}.", hint=hint, setting=True)
