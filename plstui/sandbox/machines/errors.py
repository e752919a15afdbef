"""Why a script of a machine goes no further."""

from __future__ import annotations


class ShellSyntaxError(Exception):
    """The text is no script, uses what the machines' shell does not have, or takes more than the machines have."""
