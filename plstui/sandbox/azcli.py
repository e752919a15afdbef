"""A configuration of its own for `az`, as if somebody had registered this cloud and signed in to both subscriptions.

The files are those that az leaves after `az cloud register`, `az cloud set` and two `az login --service-principal`
(seen with 2.91; the tests run the real az on them). Writing them takes no time, and the user's own `~/.azure` is never
touched.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote

from plstui.sandbox.gateway.tokens import Client, Subscription
from plstui.sandbox.statedir import StateDir

CLOUD = "plstui"
FOLDER = "az"
AZ_VERSION = "2.91.0"

_ENDPOINTS = (
    "active_directory",
    "active_directory_data_lake_resource_id",
    "active_directory_graph_resource_id",
    "active_directory_resource_id",
    "batch_resource_id",
    "management",
    "media_resource_id",
    "microsoft_graph_resource_id",
    "portal",
    "resource_manager",
    "sql_management",
)
_SUFFIXES = (
    "acr_login_server_endpoint",
    "azure_datalake_analytics_catalog_and_job_endpoint",
    "azure_datalake_store_file_system_endpoint",
    "keyvault_dns",
    "mariadb_server_endpoint",
    "mysql_server_endpoint",
    "postgresql_server_endpoint",
    "sql_server_hostname",
    "storage_endpoint",
)

_SCRIPT = """\
# Source this in bash or zsh: az then works on the sandbox, and on nothing else, until plstui_az_off or the shell's end.
if command -v plstui_az_off >/dev/null; then plstui_az_off; fi
plstui_az_before="$(export -p | sed -E -n 's/^(export|declare -x|typeset -x) (({pattern})=)/export \\2/p')"
plstui_az_off() {{
  unset {names}
  eval "$plstui_az_before"
  unset plstui_az_before
  unset -f plstui_az_off
}}
{exports}
# az takes a token for good by its own clock; the sandbox's may be ahead, or its tokens withdrawn.
rm -f "$AZURE_CONFIG_DIR/msal_token_cache.json"
"""


@dataclass(frozen=True, slots=True)
class Login:
    """One subscription and who is signed in to it."""

    subscription: Subscription
    client: Client


def write(folder: StateDir, port: int, isv: Login, customer: Login, now: datetime) -> Path:
    """Write the configuration and `az-env.sh`; returns the path of the latter. The ISV's subscription is current."""
    configuration = folder.folder(FOLDER)
    # az checks the name in the certificate, and knows clouds by a host with a name.
    host = f"localhost:{port}"
    folder.write(f"{FOLDER}/config", _ini("cloud", {"name": CLOUD}))
    folder.write(f"{FOLDER}/clouds.config", _ini(CLOUD, _cloud(host, isv.subscription)))
    profiles = [_profile(isv, current=True), _profile(customer, current=False)]
    folder.write_json(f"{FOLDER}/azureProfile.json", {"subscriptions": profiles})
    secrets = [_credentials(login.client) for login in (isv, customer)]
    folder.write(f"{FOLDER}/service_principal_entries.json", json.dumps(secrets))
    # Without it, the first command of a day asks the outside world for newer versions.
    versions = {part: {"local": AZ_VERSION} for part in ("azure-cli", "core", "telemetry")}
    checked = {"versions": versions, "update_time": f"{now:%Y-%m-%d %H:%M:%S.%f}"}
    folder.write_json(f"{FOLDER}/versionCheck.json", checked)
    return folder.write("az-env.sh", _environment(folder.path / "ca.pem", configuration, isv, customer))


def _cloud(host: str, current: Subscription) -> dict[str, str]:
    base = f"https://{host}"
    values = {f"endpoint_{name}": base for name in _ENDPOINTS}
    values["endpoint_microsoft_graph_resource_id"] = f"{base}/"
    return {**values, **{f"suffix_{name}": host for name in _SUFFIXES}, "subscription": current.id}


def _profile(login: Login, *, current: bool) -> dict[str, object]:
    subscription = login.subscription
    return {
        "id": subscription.id,
        "name": subscription.name,
        "state": "Enabled",
        "user": {"name": login.client.client_id, "type": "servicePrincipal"},
        "isDefault": current,
        "tenantId": subscription.tenant,
        "environmentName": CLOUD,
        "homeTenantId": subscription.tenant,
        "managedByTenants": [],
    }


def _credentials(client: Client) -> dict[str, str]:
    return {"client_id": client.client_id, "tenant": client.tenant, "client_secret": client.secret}


def _ini(section: str, values: dict[str, str]) -> str:
    return f"[{section}]\n" + "".join(f"{name} = {value}\n" for name, value in values.items())


def _environment(authority: Path, configuration: Path, isv: Login, customer: Login) -> str:
    variables = {
        "AZURE_CONFIG_DIR": str(configuration),
        "REQUESTS_CA_BUNDLE": str(authority),
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_ENCRYPT_TOKEN_CACHE": "false",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "false",
        "AZURE_CORE_SURVEY_MESSAGE": "false",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
        "no_proxy": "localhost,127.0.0.1",
        "NO_PROXY": "localhost,127.0.0.1",
        "AZ_ISV": isv.subscription.id,
        "AZ_CUSTOMER": customer.subscription.id,
    }
    names = list(variables)
    return _SCRIPT.format(
        names=" ".join(names),
        pattern="|".join(names),
        exports="\n".join(f"export {name}={quote(value)}" for name, value in variables.items()),
    )
