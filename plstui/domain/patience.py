"""How long to be patient with Azure, where more than one package has to agree on it."""

from __future__ import annotations

THROTTLED_PATIENCE = 120.0
"""Seconds that a decision waits in all while Azure asks for fewer requests: its limits refill by the second, and who
would have to wait longer is told so instead."""
