"""The settings file: its sections, keys, allowed values and defaults.

TOML, at `$XDG_CONFIG_HOME/plstui/config.toml` or where `--config` or `PLSTUI_CONFIG` says. Every key can also be given
as `PLSTUI_<SECTION>_<KEY>` in the environment, which wins over the file. Secrets never stand in it: only paths to them.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from plstui.domain.ids import SUBSCRIPTION
from plstui.domain.sides import Side

PUBLIC_ARM = "https://management.azure.com"

# The descriptions are what an error says: "Allowed is …". A pattern ends with \Z: $ would let a line end follow.
_HOST = r"([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\[::1\])"
_PORT = r"(6553[0-5]|655[0-2]\d|65[0-4]\d\d|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})"
ENDPOINT = rf"https://{_HOST}(:{_PORT})?/?"
"""A service's address: its host, and a port where it is not TLS's own. No user, no path: other paths are put to it."""
Https = Annotated[
    str,
    Meta(
        pattern=rf"^{ENDPOINT}\Z",
        description="an address that starts with https:// and ends after the host or its port",
    ),
]
SubscriptionId = Annotated[
    str,
    Meta(
        pattern=rf"^({SUBSCRIPTION})?\Z",
        description="the id of a subscription such as 5b1f9c34-0d0e-4d6b-9a52-3f6f1b7c1a01, and not its name; "
        "az account list --output table shows both",
    ),
]
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
    """`user@host`, `user@host:port`, or a host alias of `ssh_config`; several with commas, the last is where probes
    start. Empty when this side cannot be probed by SSH."""
    ssh_config: str = ""
    """An OpenSSH client configuration file in which `jump` is looked up; empty for `~/.ssh/config`."""
    identity_file: str = ""
    """The private key, or the public half of one that the agent holds; empty for the ssh configuration's, the agent's
    and the usual ones in `~/.ssh`."""
    known_hosts: str = ""
    """The file with the host keys that are trusted; empty for the ssh configuration's, then `~/.ssh/known_hosts`."""


class SideSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One side: whose subscription, and how to reach into its network."""

    subscription: SubscriptionId = ""
    """The subscription's id; empty when this side is somebody else's and not shown."""
    tenant: str = ""
    """The tenant's id; only needed with `client_id`."""
    client_id: str = ""
    """A service principal to sign in as."""
    client_secret_file: str = ""
    """The file, readable by its owner only, that holds the service principal's secret."""
    ssh: Ssh = field(default_factory=Ssh)


RouteName = Literal["direct", "ssh", "run-command"]


class Probe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the page is fetched."""

    count: Annotated[int, Meta(ge=1, le=1000)] = 12
    """Fresh connections to each target."""
    connect_timeout: Seconds = 5.0
    """Seconds for a connection to stand."""
    read_timeout: Seconds = 5.0
    """Seconds for the whole answer."""
    routes: tuple[RouteName, ...] = ("ssh", "run-command")
    """The ways to the targets, tried in this order until one can be used: from this computer, through the side's jump
    machine, or by a script that Azure runs in one of the side's machines. `direct` has to be asked for: an address like
    10.0.1.4 may be somebody else's machine where this computer is."""


class Watch(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often Azure is asked."""

    interval: Seconds = 5.0
    """Seconds between two refreshes; less while something is under way, more while nothing happens."""


Name = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.()-]*\Z",
        description="a name of at most 80 characters: letters a to z, digits and _ . ( ) -, a letter, digit or _ first",
    ),
]
GroupName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=90,
        # az would take a name that begins with a hyphen for an option.
        pattern=r"^(?!-)[\w.()-]*[\w()-]\Z",
        description="a name of at most 90 characters: letters and digits of any script and _ . ( ) -, no hyphen first "
        "and no period last",
    ),
]
Prefix = Annotated[
    str, Meta(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}\Z", description="an IPv4 range such as 10.0.0.0/16")
]


class LabNames(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the lab's resources are called."""

    isv_group: GroupName = "privatelink-pls-microhack-rg"
    virtual_network: Name = "virtualNetwork"
    subnet: Name = "saas"
    security_group: Name = "networkSecurityGroup"
    application_security_group: Name = "applicationSecurityGroup"
    nat_gateway: Name = "natGateway"
    nat_address: Name = "natGatewayAddress"
    ssh_key: Name = "sshPublicKey"
    machine: Annotated[
        str,
        Meta(
            pattern=r"^[a-z][a-z0-9-]{0,13}\Z",
            description="a name of at most 14 characters: small letters a to z, digits and -, a letter first",
        ),
    ] = "web"
    """How the names of the three backends begin; a number follows. It is the host name that the page shows."""
    balancer: Name = "loadBalancer"
    frontend: Name = "loadBalancerFrontEnd"
    pool: Name = "saasBackendPool"
    service: Name = "saasPrivateLinkService"
    customer_group: GroupName = "privatelink-dns-microhack-rg"
    customer_network: Name = "spoke-vnet"
    customer_subnet: Name = "InfrastructureSubnet"
    zone_link: Name = "dnsLink"
    test_machine: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z][A-Za-z0-9-]{0,14}\Z",
            description="a name of at most 15 characters: letters a to z, digits and -, a letter first",
        ),
    ] = "testVM"
    """At most 15 characters, as Windows needs it."""
    endpoint: Name = "saasPrivateEndpoint"
    endpoint_connection: Name = "connectionToSaasService"


class LabDns(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the customer names the endpoint."""

    kind: Literal["private", "public", "none"] = "private"
    """A private zone linked to the customer's network, an existing public zone of Azure DNS, or the address alone."""
    zone: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_]([A-Za-z0-9_-]*)(\.[A-Za-z0-9_][A-Za-z0-9_-]*)+\Z",
            description="a name with a dot in it such as tradewinds.internal, of letters a to z, digits, _ and -",
        ),
    ] = "tradewinds.internal"
    """The zone's name."""
    group: str = ""
    """The resource group of an existing public zone, in the customer's subscription."""
    record: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}\Z",
            description="a name without a dot of at most 63 characters: letters a to z, digits, _ and -, no - first",
        ),
    ] = "saas-pls"
    """The name of the A record."""


class Lab(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The workshop that `plstui lab` builds."""

    region: Annotated[str, Meta(min_length=1, description="the name of a region such as westeurope")] = "westeurope"
    """A region with three zones, by its name or its display name."""
    size: str = ""
    """The size of the machines; empty for the first of the usual small ones that the region offers in zones 1 to 3."""
    isv_prefix: Prefix = "10.0.0.0/16"
    isv_subnet_prefix: Prefix = "10.0.1.0/24"
    customer_prefix: Prefix = "10.1.0.0/16"
    customer_subnet_prefix: Prefix = "10.1.0.0/24"
    user: Annotated[
        str,
        Meta(
            pattern=r"^[a-z_][a-z0-9_-]{0,31}\Z",
            description="a name of at most 32 characters: small letters a to z, digits, _ and -, a letter or _ first",
        ),
    ] = "azureuser"
    """Who signs in to the machines."""
    public_key: str = ""
    """The file with the public key for the machines; empty for the first of `~/.ssh/id_ed25519.pub`, `id_rsa.pub`."""
    message: str = "Customer: Tradewinds, Order no.: 314159"
    """What the customer's request says; at most 140 characters."""
    isolated: bool = False
    """Whether the ISV's network has no way out: no NAT gateway, and Python serves the page."""
    test_machine: Literal["ubuntu", "windows"] = "ubuntu"
    service_id: str = ""
    """The id of the private link service that the customer connects to when the ISV's subscription is not set."""
    names: LabNames = field(default_factory=LabNames)
    dns: LabDns = field(default_factory=LabDns)


class Ui(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terminal interface."""

    read_only: bool = False
    """Whether approving, rejecting and removing are switched off."""


Keys = Annotated[dict[str, str], Meta(description='a section with lines such as approve = "A"')]


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that can be set."""

    azure: Azure = field(default_factory=Azure)
    isv: SideSettings = field(default_factory=SideSettings)
    customer: SideSettings = field(default_factory=SideSettings)
    probe: Probe = field(default_factory=Probe)
    watch: Watch = field(default_factory=Watch)
    lab: Lab = field(default_factory=Lab)
    ui: Ui = field(default_factory=Ui)
    keys: Keys = field(default_factory=dict)
    """The keys of the panes, by the ids of their commands, where they are not the usual ones. The panes judge them."""

    def side(self, side: Side) -> SideSettings:
        """One side's settings."""
        return self.isv if side is Side.ISV else self.customer
