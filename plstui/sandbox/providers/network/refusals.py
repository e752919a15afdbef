"""What Microsoft.Network refuses in every type, in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterable

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.network.bodies import DELETING
from plstui.sandbox.store import Body

_NAME = re.compile(r"[A-Za-z0-9]([\w.-]{0,78}\w)?", re.ASCII)


def check_name(resource_id: ResourceId) -> None:
    """Raise the 400 for a name that Microsoft.Network does not take."""
    if not _NAME.fullmatch(resource_id.name):
        raise errors.bad_request(
            "InvalidResourceName",
            f"Resource name {resource_id.name[:100]} is invalid. The name can be up to 80 characters long. It must "
            "begin with a word character, and it must end with a word character or with '_'. The name may contain word "
            "characters or '.', '-', '_'.",
        )


def check_match(call: Call, found: Body | None) -> None:
    """Raise the 412 for a write under an etag that the resource no longer has.

    As users report it of a cloud provider's controllers, which send the header with every write.
    """
    wanted = call.request.headers.get("if-match", "").strip()
    has = str(found["etag"]) if found else ""
    if not wanted or (found and wanted in ("*", has)):
        return
    what = f"Etag provided in if-match header {wanted[:100]} does not match etag {has} of resource {call.named}."
    details = [{"code": "PreconditionFailedEtagMismatch", "message": what}]
    raise ArmError(412, "PreconditionFailed", "Precondition failed.", details=details)


def missing(name: str, where: str = "") -> ArmError:
    """400 for a property that has to be there."""
    path = f"{where}.{name}" if where else name
    return errors.bad_request(
        "InvalidRequestFormat",
        "Cannot parse the request.",
        [{"code": "MissingJsonProperty", "message": f"Missing value for JSON required property '{path}'."}],
    )


def check_unique(owner: ResourceId, names: Iterable[str]) -> None:
    """Raise the 400 for two sub-resources of one name."""
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise errors.bad_request(
                "DuplicateResourceName", f"Resource {owner} has two child resources with the same name ({name})."
            )
        seen.add(name.lower())


def child_name(sent: Fields, owner: ResourceId, collection: str) -> str:
    """The name of a sub-resource in a list; raises the 400 for none and for one that is not taken."""
    name = sent.text("name")
    if not name:
        raise missing("name", sent.where)
    check_name(owner.child(collection, name))
    return name


def wrong_type(wanted: ResourceId, kind: str) -> ArmError:
    """400 for a reference to something of another kind."""
    return errors.bad_request(
        "InvalidRequestFormat",
        "Cannot parse the request.",
        [
            {
                "code": "InvalidJsonReferenceWrongType",
                "message": f"Reference Id {wanted.text[:300]} is referencing resource of a wrong type. The Id is "
                f"expected to reference resources of type {kind.partition('/')[2]}.",
            }
        ],
    )


def not_ready(resource: ResourceId, by: ResourceId, state: str) -> ArmError:
    """429, which is no throttling: what is referred to has not got there yet."""
    kind = resource.type.rpartition("/")[2]
    singular = kind[:-2] if kind.endswith("sses") else kind.removesuffix("s")
    verb = "Delete" if state == DELETING else "Put"
    return ArmError(
        429,
        "RetryableError",
        "A retryable error occurred.",
        details=[
            {
                "code": "ReferencedResourceNotProvisioned",
                "message": f"Cannot proceed with operation because resource {resource} used by resource {by} is not in "
                f"Succeeded state. Resource is in {state} state and the last operation that updated/is updating the "
                f"resource is {verb}{singular[:1].upper()}{singular[1:]}Operation.",
            }
        ],
    )


def busy(uri: str) -> ArmError:
    """409 for a write while another one on the same resource is under way."""
    return ArmError(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: "
        f"{uri}.",
        details=(),
    )
