"""plstui's command line with its modules read once: forks for every order on standard input, one at a time.

An order is a JSON line: `arguments`, `environ` on top of our own, and the files `out` and `err`. Answered by two lines:
the process id, and its exit code when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any

from plstui.arm.side import open_side
from plstui.cli.main import run
from plstui.lab.provider import Provider
from plstui.probe.open import open_prober

READ = (open_side, open_prober, Provider)
"""What is imported for the sake of its modules, which are slow to read."""


def obey(order: dict[str, Any]) -> int:
    """Be the command; its exit code."""
    for stream, name in ((1, "out"), (2, "err")):
        descriptor = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(descriptor, stream)
        os.close(descriptor)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    # Orders were read from the one before, and how a stream is read cannot be changed then.
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 - until the end.
    os.environ.update(order["environ"])
    code = run(order["arguments"])
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def tell(number: int) -> None:
    """One line of an answer."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Obey until standard input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        if not (child := os.fork()):
            code = 70
            try:
                code = obey(order)
            except BaseException:  # noqa: BLE001 - whatever it is, this process ends here and says why.
                traceback.print_exc()
            finally:
                os._exit(code)
        tell(child)
        tell(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


if __name__ == "__main__":
    main()
