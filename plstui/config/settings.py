"""The settings file: its sections, keys, allowed values and defaults.

TOML, at `$XDG_CONFIG_HOME/plstui/config.toml` or where `--config` or `PLSTUI_CONFIG` says. Every key can also be given
as `PLSTUI_<SECTION>_<KEY>` in the environment, which wins over the file. Secrets never stand in it: only paths to them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from plstui.domain.sides import Side

PUBLIC_ARM = "https://management.azure.com"

Https = Annotated[str, Meta(pattern=r"^https://[^\s]+$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(ge=0.1, le=300)]


class Azure(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which Azure, and how to sign in to it."""

    arm: Https = PUBLIC_ARM
    """The Resource Manager endpoint."""
    ca: str = ""
    """A PEM file with the certificate authority of the endpoint; empty for the system's own."""
    credential: Literal["cli", "environment", "device-code"] = "cli"
    """How to sign in: as `az` is signed in, by `AZURE_CLIENT_ID` and its like, or with a code typed into a browser.
    A side that has a `client_id` signs in with its secret instead."""


class Ssh(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How to reach the machine that probes start from."""

    jump: str = ""
    """`user@host`, `user@host:port`, or a host alias of `ssh_config`; empty when this side cannot be probed by SSH."""
    ssh_config: str = ""
    """An OpenSSH client configuration file in which `jump` is looked up; empty for `~/.ssh/config`."""
    identity_file: str = ""
    """The private key; empty for the ssh configuration's, the agent's and the usual ones in `~/.ssh`."""
    known_hosts: str = ""
    """The file with the host keys that are trusted; empty for the ssh configuration's, then `~/.ssh/known_hosts`."""


class SideSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One side: whose subscription, and how to reach into its network."""

    subscription: str = ""
    """The subscription's id; empty when this side is somebody else's and not shown."""
    tenant: str = ""
    """The tenant's id; only needed with `client_id`."""
    client_id: str = ""
    """A service principal to sign in as."""
    client_secret_file: str = ""
    """The file, readable by its owner only, that holds the service principal's secret."""
    ssh: Ssh = field(default_factory=Ssh)


class Probe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the page is fetched."""

    count: Annotated[int, Meta(ge=1, le=1000)] = 12
    """Fresh connections to each target."""
    connect_timeout: Seconds = 5.0
    """Seconds for a connection to stand."""
    read_timeout: Seconds = 5.0
    """Seconds for the whole answer."""


class Watch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often Azure is asked."""

    interval: Seconds = 5.0
    """Seconds between two refreshes; less while something is under way, more while nothing happens."""


class Ui(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terminal interface."""

    read_only: bool = False
    """Whether approving, rejecting and removing are switched off."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be set."""

    azure: Azure = field(default_factory=Azure)
    isv: SideSettings = field(default_factory=SideSettings)
    customer: SideSettings = field(default_factory=SideSettings)
    probe: Probe = field(default_factory=Probe)
    watch: Watch = field(default_factory=Watch)
    ui: Ui = field(default_factory=Ui)

    def side(self, side: Side) -> SideSettings:
        """One side's settings."""
        return self.isv if side is Side.ISV else self.customer
