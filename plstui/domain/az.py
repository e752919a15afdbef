"""The current `az` commands that do what the keys do."""

from __future__ import annotations

from shlex import quote

from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean


def az_line(verb: Verb, connection_id: ResourceId, description: str = "") -> str:
    """One shell line, quoted, that does `verb` to a private link service's connection."""
    service = connection_id.parent
    assert service is not None, f"a connection is a child of a service: {connection_id}"
    target = (
        f"--resource-group {quote(service.resource_group)} --service-name {quote(service.name)} "
        f"--name {quote(connection_id.name)} --subscription {quote(service.subscription)}"
    )
    if verb.status is None:
        return f"az network private-link-service connection delete {target} --yes"
    return (
        f"az network private-link-service connection update {target} "
        f"--connection-status {verb.status} --description {quote(clean(description, 1000))}"
    )
