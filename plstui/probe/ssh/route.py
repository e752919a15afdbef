"""The route through a jump machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import monotonic

from plstui.config.settings import Probe, Ssh
from plstui.domain.probe import Attempt, Failure, Target
from plstui.domain.text import clean
from plstui.probe.fetch import fetch
from plstui.probe.route import Report, RouteError, UnresolvedError, balanced_back
from plstui.probe.spread import spread
from plstui.probe.ssh.config import hops
from plstui.probe.ssh.connection import Connection
from plstui.probe.ssh.doorkeeper import Doorkeeper
from plstui.probe.ssh.openssh import Asking
from plstui.probe.threads import in_thread


class SshRoute:
    """Connects to targets from another machine, over one SSH connection that is kept from probe to probe."""

    def __init__(self, ssh: Ssh, probe: Probe, setting: str, doorkeeper: Doorkeeper) -> None:
        """`setting` names the machine; `doorkeeper` may be shared with other routes."""
        self._ssh = ssh
        self._probe = probe
        self._setting = setting
        self._doorkeeper = doorkeeper
        self._passed_over: tuple[str, ...] = ()
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()

    async def fetch(self, targets: Sequence[Target], count: int, report: Report) -> None:
        """Fetch the page from each target over `count` fresh connections."""
        connection = await self._connected()
        text = ", without ".join((f"ssh {clean(self._ssh.jump, 60)}", *self._passed_over))
        await spread(
            targets,
            count,
            lambda target: self._attempt(connection, target),
            lambda target, attempt: report(target, attempt, text),
        )

    async def _connected(self) -> Connection:
        """The connection, made anew when it does not answer any more. Raises `RouteError`."""
        async with self._connecting:
            if self._connection:
                if await self._connection.answers():
                    return self._connection
                await self.close()
            # Looked up every time: the files may have been mended since the last try.
            asking = Asking()
            way = await in_thread(lambda: hops(self._ssh, asking), stop=asking.stop)
            self._passed_over = tuple(dict.fromkeys(each for hop in way for each in hop.passed_over))
            while True:
                connection, answers = Connection(), self._doorkeeper.answers()
                try:
                    await connection.connect(way, answers, self._probe.connect_timeout)
                    break
                except UnresolvedError as error:
                    await connection.close()
                    words = f"{str(error).removesuffix('.')}; set {self._setting}."
                    raise UnresolvedError(self._with_passed_over(words)) from None
                except RouteError as error:
                    # Not while a server waits: it would lose its patience before a person has read the question.
                    await connection.close()
                    if not await self._doorkeeper.can_help(error, answers):
                        error.args = (self._with_passed_over(str(error)),)
                        raise
                except BaseException:
                    await connection.close()
                    raise
            self._connection = connection
            return connection

    def _with_passed_over(self, words: str) -> str:
        """Words about a failure, and what of the configuration may be why."""
        if not self._passed_over:
            return words
        # First: the words may end with a command.
        return f"Without OpenSSH this cannot be judged and was not applied: {', '.join(self._passed_over)}. {words}"

    async def _attempt(self, connection: Connection, target: Target) -> Attempt:
        started = monotonic()
        attempt = await fetch(connection.open, target, self._probe)
        if attempt.failure is None:
            return attempt
        # A target is not to blame for what the machine before it does.
        if attempt.failure is Failure.TIMEOUT and attempt.connect_ms is None:
            lost = not await connection.answers(since=started)
        elif attempt.failure is Failure.RESET:
            # Where the connection ends, those that go through it hear of that first.
            lost = not await connection.answers()
        else:
            lost = not connection.alive
        if lost:
            return replace(attempt, failure=Failure.JUMP, error=f"The connection to {self._ssh.jump} was lost.")
        if target.behind and attempt.failure is Failure.TIMEOUT:
            return balanced_back(attempt, target, await connection.names())
        return attempt

    async def close(self) -> None:
        """End the connection; the next probe makes a new one."""
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()
