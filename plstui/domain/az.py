"""The current `az` commands that do what the keys do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from shlex import quote

from plstui.domain.connection import Verb
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean


def az_line(verb: Verb, connection_id: ResourceId, description: str = "") -> str:
    """One shell line, quoted, that does `verb` to a private link service's connection."""
    service = connection_id.parent
    assert service is not None, f"a connection is a child of a service: {connection_id}"
    target = (
        f"--resource-group {shell_word(service.resource_group)} --service-name {shell_word(service.name)} "
        f"--name {shell_word(connection_id.name)} --subscription {shell_word(service.subscription)}"
    )
    if verb.status is None:
        return f"az network private-link-service connection delete {target} --yes"
    return (
        f"az network private-link-service connection update {target} "
        f"--connection-status {verb.status} {shell_option('--description', description)}"
    )


def run_command_line(machine: ResourceId, script: str, *, windows: bool = False) -> str:
    """One shell line, quoted, that has Azure run a script on a machine; `@name` is the script in a file."""
    command = "RunPowerShellScript" if windows else "RunShellScript"
    return (
        f"az vm run-command invoke --ids {shell_word(machine.text)} --command-id {command} "
        f"--scripts {shell_word(script)}"
    )


def tags_line(service_id: ResourceId, tags: Mapping[str, str], removed: Collection[str] = ()) -> str:
    """One shell line, quoted, that sets and removes tags of a private link service and leaves its others."""
    if any(set(name) & _IN_PATHS for name in (*tags, *removed)):
        # A path cannot lead to such a name. Of what is to be deleted az wants to know nothing but the name.
        wanted = [shell_word(f"{name}={value}") for name, value in tags.items()], list(map(shell_word, removed))
        target = f"--resource-id {shell_word(service_id.text)}"
        return " && ".join(
            f"az tag update {target} --operation {operation} --tags {' '.join(words)}"
            for operation, words in zip(("Merge", "Delete"), wanted, strict=True)
            if words
        )
    words = [f"az network private-link-service update --ids {shell_word(service_id.text)}"]
    if tags:
        # Or 1 and true would be no texts.
        words += ["--force-string --set", *(shell_word(f"tags.{name}={value}") for name, value in tags.items())]
    if removed:
        words += ["--remove", *(shell_word(f"tags.{name}") for name in removed)]
    return " ".join(words)


_IN_PATHS = frozenset(".[]")
"""What has a meaning in the paths of az's `--set` and `--remove`."""


def shell_word(text: str) -> str:
    """One word of a shell line; the line is shown, so it is harmless to a terminal too."""
    return quote(clean(text, 1000))


def shell_option(name: str, value: str) -> str:
    """An option with its value; one that begins like an option itself would be taken for the next one."""
    word = shell_word(value)
    return f"{name}={word}" if word.lstrip("'").startswith("-") else f"{name} {word}"


_SHOW = {
    "microsoft.network/virtualnetworks": "network vnet show --ids",
    "microsoft.network/virtualnetworks/subnets": "network vnet subnet show --ids",
    "microsoft.network/networksecuritygroups": "network nsg show --ids",
    "microsoft.network/networkinterfaces": "network nic show --ids",
    "microsoft.network/loadbalancers": "network lb show --ids",
    "microsoft.network/privatelinkservices": "network private-link-service show --ids",
    "microsoft.network/privatelinkservices/privateendpointconnections": "network private-endpoint-connection show --id",
    "microsoft.network/privateendpoints": "network private-endpoint show --ids",
    "microsoft.compute/virtualmachines": "vm show --show-details --ids",
}


def show_line(resource_id: ResourceId) -> str:
    """One shell line, quoted, that shows a resource; whatever is not in the table above `az resource show` knows."""
    if resource_id.is_type("Microsoft.Resources/resourceGroups"):
        return (
            f"az group show --name {shell_word(resource_id.name)} --subscription {shell_word(resource_id.subscription)}"
        )
    return f"az {_SHOW.get(resource_id.type.lower(), 'resource show --ids')} {shell_word(resource_id.text)}"
