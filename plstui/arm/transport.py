"""How the SDK reaches its endpoints: time limits, the certificate authority, proxies."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from plstui.config.locations import expand
from plstui.config.settings import Settings
from plstui.domain.errors import ConfigError
from plstui.domain.files import read_text

CONNECT_SECONDS = 5.0
"""Seconds for a connection to stand: name, TCP and TLS."""

ANSWER_SECONDS = 20.0
"""Seconds for a whole answer: much for a page of a LIST, and a watcher must not hang on more."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def sdk_options(settings: Settings) -> dict[str, Any]:
    """Arguments of the SDK's transports. Raises `ConfigError` when the certificate authority's file is no good."""
    options: dict[str, Any] = {"connection_timeout": CONNECT_SECONDS, "read_timeout": ANSWER_SECONDS}
    if settings.azure.ca:
        options["connection_verify"] = str(_ca(settings))
    if urlsplit(settings.azure.arm).hostname in _LOOPBACK:
        # A proxy cannot reach this machine's loopback, whatever the environment says.
        options["use_env_settings"] = False
    return options


def trust(settings: Settings) -> ssl.SSLContext | None:
    """The certificate authority of the settings, ready to use; None for the system's own. Raises `ConfigError`."""
    if not settings.azure.ca:
        return None
    try:
        # Certificates are ASCII; what is not is a comment.
        bundle = read_text(_ca(settings)).encode("ascii", "replace").decode()
        return ssl.create_default_context(cadata=bundle)
    except (ssl.SSLError, ValueError):
        reason = "it holds no certificate"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise ConfigError(f"The certificate authority {settings.azure.ca} cannot be used: {reason}.")


def _ca(settings: Settings) -> Path:
    return expand(settings.azure.ca)
