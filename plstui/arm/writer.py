"""Writes to one side: decides on connections and removes them."""

from __future__ import annotations

from plstui.arm.decision import Decision, Patience
from plstui.arm.road import Road
from plstui.domain.connection import ConnectionStatus, Seen, unheard
from plstui.domain.errors import Retrying
from plstui.domain.ids import ResourceId


class Writer:
    """Writes to one subscription; implements the engine's `CloudWriter`."""

    def __init__(self, road: Road, patience: Patience | None = None) -> None:
        self._road = road
        self._patience = patience or Patience()

    async def prepare(
        self,
        connection_id: ResourceId,
        wanted: ConnectionStatus | None,
        description: str,
        *,
        expected: ConnectionStatus,
        seen: Seen = unheard,
        retrying: Retrying | None = None,
    ) -> Decision:
        """A decision that is ready to be sent: the connection has been read anew and is as `expected`.

        `wanted` is the status to set with the description, None to remove the connection; `seen` hears of each look at
        it. Raises `PlstuiError`, and of these `RefusedError` when the connection is no longer as expected.
        """
        decision = Decision(self._road, connection_id, wanted, description, expected, self._patience, seen, retrying)
        await decision.look()
        return decision
