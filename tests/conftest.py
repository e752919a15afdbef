"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# How long something takes on a machine that is busy says nothing about it; speed is measured in tests/bench/.
# Where it is decided whether a change lands, the same commit gets the same answer twice.
settings.register_profile(
    "plstui", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("plstui")
