"""Whose move it is when a resource cannot be deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from plstui.domain.az import delete_line, locks_line
from plstui.domain.change import Delete, Ready
from plstui.domain.errors import AzureError, RefusedError
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side


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
                raise RefusedError(
                    f"A lock keeps the {what} from being deleted.",
                    hint=f"Whoever set it can remove it: {locks_line(resource_id)} shows it.",
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
