"""What holds for every test."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# How long something takes on a machine that is busy says nothing about it; speed is measured in tests/bench/.
# Where it is decided whether a change lands, the same commit gets the same answer twice.
settings.register_profile(
    "plstui", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("plstui")

# Programs inherit which signals are ignored, and a suite that was started in the background ignores these two.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
