"""Deleting one resource: the `az` command that does the same, and whose move it is when it is not possible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plstui.domain.az import az_line, shell_word
from plstui.domain.change import Delete, Ready
from plstui.domain.connection import CONNECTION_TYPE, Verb
from plstui.domain.errors import AzureError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side

GROUP = "Microsoft.Resources/resourceGroups"

_DELETE = {
    "microsoft.compute/virtualmachines": "vm delete --yes --ids",
    "microsoft.network/privatelinkservices": "network private-link-service delete --ids",
    "microsoft.network/privateendpoints": "network private-endpoint delete --ids",
    "microsoft.network/dnszones/a": "network dns record-set a delete --yes --ids",
}


def delete_line(resource_id: ResourceId) -> str:
    """One shell line, quoted, that deletes a resource; whatever is not in the table above `az resource delete` can."""
    if resource_id.is_type(GROUP):
        where = f"--name {shell_word(resource_id.name)} --subscription {shell_word(resource_id.subscription)}"
        return f"az group delete {where} --yes"
    if resource_id.is_type(CONNECTION_TYPE):
        return az_line(Verb.REMOVE, resource_id)
    return f"az {_DELETE.get(resource_id.type.lower(), 'resource delete --ids')} {shell_word(resource_id.text)}"


def deletion(side: Side, resource_id: ResourceId) -> Ready[None]:
    """Deleting a resource."""
    return Ready(side=side, target=resource_id, verb="delete", az=delete_line(resource_id), sends=Delete())


@contextmanager
def whose_move(resource_id: ResourceId, what: str) -> Iterator[None]:
    """A deletion that is not possible inside says so in one sentence, and who has to do what about it."""
    try:
        yield
    except AzureError as error:
        match error.code.lower():
            case "scopelocked":
                group, subscription = shell_word(resource_id.resource_group), shell_word(resource_id.subscription)
                where = f"--resource-group {group} --subscription {subscription}"
                raise RefusedError(
                    f"A lock keeps the {what} from being deleted.",
                    hint=f"Whoever set it can remove it: az lock list {where} shows it.",
                    code=error.code,
                ) from error
            case "resourcegroupdeletionblocked":
                raise AzureError(
                    error.message,
                    status=error.status,
                    code=error.code,
                    hint="Something outside the group uses what could not be deleted: its owner deletes that first.",
                ) from error
            case _:
                raise
