"""The types of record sets: what a record of each type holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Any

from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.store import Body

MOST_RECORDS = 20
"""Records in one set, a limit of Azure's."""

PAGE = 100
"""Items in a page of any list of private DNS, unless a client asks for fewer."""

LONGEST_TEXT = 1024
"""Characters in one TXT record."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """One type of record set."""

    name: str
    """As in ids, `A`."""
    property: str
    """The property that holds its records, `aRecords`."""
    read: Callable[[Fields], Body]
    """One record as it is kept; raises the 400 for one that cannot be."""
    single: bool = False
    """Whether the property holds one record and not an array."""

    def records(self, properties: Fields) -> Any:
        """The records that a request sends; None where a type with a single record sends none."""
        if self.single:
            return self.read(properties.fields(self.property)) if self.property in properties else None
        records = [self.read(record) for record in properties.objects(self.property)]
        if len(records) > MOST_RECORDS:
            raise invalid(f"A record set cannot have more than {MOST_RECORDS} records.")
        if any(record in records[:at] for at, record in enumerate(records)):
            raise invalid("A record set cannot have the same record twice.")
        return records


def invalid(message: str) -> ArmError:
    """400 of private DNS, which has no envelope."""
    return ArmError(400, "BadRequest", message, envelope=False)


def _text(record: Fields, name: str) -> str:
    text = record.text(name)
    if not text or len(text) > 254:
        raise invalid(f"The value of '{record.where}.{name}' is missing or invalid.")
    return text


def _number(record: Fields, name: str, most: int = 65_535) -> int:
    if name not in record or not 0 <= (number := record.number(name)) <= most:
        raise invalid(f"The value of '{record.where}.{name}' is missing or not between 0 and {most}.")
    return number


def _a(record: Fields) -> Body:
    try:
        return {"ipv4Address": str(IPv4Address(record.text("ipv4Address")))}
    except AddressValueError:
        raise invalid(f"The value of '{record.where}.ipv4Address' is not an IPv4 address.") from None


def _aaaa(record: Fields) -> Body:
    try:
        return {"ipv6Address": str(IPv6Address(record.text("ipv6Address")))}
    except AddressValueError:
        raise invalid(f"The value of '{record.where}.ipv6Address' is not an IPv6 address.") from None


def _cname(record: Fields) -> Body:
    return {"cname": _text(record, "cname")}


def _mx(record: Fields) -> Body:
    return {"exchange": _text(record, "exchange"), "preference": _number(record, "preference")}


def _ptr(record: Fields) -> Body:
    return {"ptrdname": _text(record, "ptrdname")}


def _srv(record: Fields) -> Body:
    return {
        "port": _number(record, "port"),
        "priority": _number(record, "priority"),
        "target": _text(record, "target"),
        "weight": _number(record, "weight"),
    }


def _txt(record: Fields) -> Body:
    texts = record.texts("value")
    if not texts or sum(map(len, texts)) > LONGEST_TEXT:
        raise invalid(f"The value of '{record.where}.value' must have 1 to {LONGEST_TEXT} characters.")
    return {"value": list(texts)}


def _soa(record: Fields) -> Body:
    seconds = 2**31 - 1
    return {
        "email": _text(record, "email"),
        "expireTime": _number(record, "expireTime", seconds),
        "host": record.text("host", AUTHORITY["host"]),
        "minimumTtl": _number(record, "minimumTtl", seconds),
        "refreshTime": _number(record, "refreshTime", seconds),
        "retryTime": _number(record, "retryTime", seconds),
        "serialNumber": AUTHORITY["serialNumber"],
    }


AUTHORITY: Body = {
    "email": "azureprivatedns-host.microsoft.com",
    "expireTime": 2419200,
    "host": "azureprivatedns.net",
    "minimumTtl": 10,
    "refreshTime": 3600,
    "retryTime": 300,
    "serialNumber": 1,
}
"""The SOA record that a new zone has. Its serial number stays 1, whatever is sent."""

RECORD_TYPES = {
    record_type.name: record_type
    for record_type in (
        RecordType("A", "aRecords", _a),
        RecordType("AAAA", "aaaaRecords", _aaaa),
        RecordType("CNAME", "cnameRecord", _cname, single=True),
        RecordType("MX", "mxRecords", _mx),
        RecordType("PTR", "ptrRecords", _ptr),
        RecordType("SOA", "soaRecord", _soa, single=True),
        RecordType("SRV", "srvRecords", _srv),
        RecordType("TXT", "txtRecords", _txt),
    )
}
