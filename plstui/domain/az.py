"""Current `az` commands, made in this one place: quoted for the shell, and harmless to a terminal that shows them.

The one exception is `lab/azlines.py`: the lab as a script, which is rehearsed as it stands there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from shlex import quote

from plstui.domain.connection import CONNECTION_TYPE, Verb
from plstui.domain.ids import ResourceId
from plstui.domain.text import clean

LONGEST_WORD = 4000
"""Characters of one word: a public RSA key and a challenge for claims have hundreds, and half of one is no use."""

GROUP = "Microsoft.Resources/resourceGroups"

Value = str | int | bool | ResourceId | Sequence[str | ResourceId]
"""What an option has: one word, several, or with True none; an option that is False is left out."""

Options = Mapping[str, Value]

_IN_PATHS = frozenset(".[]")
"""What has a meaning in the paths of az's `--set` and `--remove`."""

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

_DELETE = {
    "microsoft.compute/virtualmachines": "vm delete --yes --ids",
    "microsoft.network/loadbalancers": "network lb delete --ids",
    "microsoft.network/privatelinkservices": "network private-link-service delete --ids",
    "microsoft.network/privateendpoints": "network private-endpoint delete --ids",
    "microsoft.network/dnszones/a": "network dns record-set a delete --yes --ids",
}


def az(command: str, options: Options) -> str:
    """One shell line: `command` is group and verb, as in `network lb create`; options keep their order."""
    return " ".join(["az", command, *(_option(name, value) for name, value in options.items() if value is not False)])


def all_of(*lines: str) -> str:
    """One shell line that runs commands one after another until one fails."""
    return " && ".join(lines)


def in_group(resource_id: ResourceId, option: str = "--name", name: str | None = None) -> dict[str, Value]:
    """The options that say where a resource is and, as `option`, what it is called: its own name unless given."""
    return {
        "--resource-group": resource_id.resource_group,
        "--subscription": resource_id.subscription,
        option: resource_id.name if name is None else name,
    }


def shell_word(text: str) -> str:
    """One word of a shell line; the line is shown, so it is harmless to a terminal too."""
    return quote(clean(text, LONGEST_WORD))


def shell_option(name: str, value: str) -> str:
    """An option with its value; one that begins like an option itself would be taken for the next one."""
    word = shell_word(value)
    return f"{name}={word}" if word.lstrip("'").startswith("-") else f"{name} {word}"


def _option(name: str, value: Value) -> str:
    if value is True:
        return name
    if isinstance(value, (str, int, ResourceId)):
        return shell_option(name, str(value))
    return " ".join([name, *(shell_word(str(word)) for word in value)])


def az_line(verb: Verb, connection_id: ResourceId, description: str = "") -> str:
    """The line that does `verb` to a private link service's connection."""
    service = connection_id.parent
    assert service is not None, f"a connection is a child of a service: {connection_id}"
    target: Options = {
        "--resource-group": service.resource_group,
        "--service-name": service.name,
        "--name": connection_id.name,
        "--subscription": service.subscription,
    }
    if verb.status is None:
        return az("network private-link-service connection delete", {**target, "--yes": True})
    decision: Options = {"--connection-status": str(verb.status), "--description": description}
    return az("network private-link-service connection update", {**target, **decision})


def run_command_line(machine: ResourceId, script: str, *, windows: bool = False) -> str:
    """The line that has Azure run a script on a machine; `@name` is the script in a file."""
    command = "RunPowerShellScript" if windows else "RunShellScript"
    return az("vm run-command invoke", {"--ids": machine, "--command-id": command, "--scripts": script})


def run_line(verb: str, run: ResourceId, options: Options) -> str:
    """The line that creates or deletes a run command that is a resource of its own in a machine."""
    machine = run.parent
    assert machine is not None, f"a run command is a child of a machine: {run}"
    target: Options = {
        "--resource-group": run.resource_group,
        "--vm-name": machine.name,
        "--name": run.name,
        "--subscription": run.subscription,
    }
    return az(f"vm run-command {verb}", {**target, **options})


def tags_line(service_id: ResourceId, tags: Mapping[str, str], removed: Collection[str] = ()) -> str:
    """The line that sets and removes tags of a private link service and leaves its others.

    Names are those of the service, letter by letter: Azure compares them without regard to case, az's paths with.
    """
    sets = [f"{name}={value}" for name, value in tags.items()]
    if any(set(name) & _IN_PATHS for name in (*tags, *removed)):
        # A path cannot lead to such a name. Of what is to be deleted az wants to know nothing but the name.
        wanted = ("Merge", sets), ("Delete", list(removed))
        return all_of(
            *(
                az("tag update", {"--resource-id": service_id, "--operation": operation, "--tags": words})
                for operation, words in wanted
                if words
            )
        )
    options: dict[str, Value] = {"--ids": service_id}
    if sets:
        # Or 1 and true would be no texts.
        options |= {"--force-string": True, "--set": [f"tags.{words}" for words in sets]}
    # Each has an option of its own: a second word after one path would be an index into what that leads to.
    removals = [shell_option("--remove", f"tags.{name}") for name in removed]
    return " ".join([az("network private-link-service update", options), *removals])


def show_line(resource_id: ResourceId) -> str:
    """The line that shows a resource; whatever is not in the table above `az resource show` knows."""
    if resource_id.is_type(GROUP):
        return az("group show", {"--name": resource_id.name, "--subscription": resource_id.subscription})
    return _by_id(_SHOW.get(resource_id.type.lower(), "resource show --ids"), resource_id)


def delete_line(resource_id: ResourceId) -> str:
    """The line that deletes a resource; whatever is not in the table above `az resource delete` can."""
    if resource_id.is_type(GROUP):
        return az(
            "group delete", {"--name": resource_id.name, "--subscription": resource_id.subscription, "--yes": True}
        )
    if resource_id.is_type(CONNECTION_TYPE):
        return az_line(Verb.REMOVE, resource_id)
    return _by_id(_DELETE.get(resource_id.type.lower(), "resource delete --ids"), resource_id)


def locks_line(resource_id: ResourceId) -> str:
    """The line that lists what keeps a resource's group from being changed."""
    return az("lock list", {"--resource-group": resource_id.resource_group, "--subscription": resource_id.subscription})


def register_line(namespace: str, subscription: str, *, wait: bool = False) -> str:
    """The line that registers a resource provider."""
    return az("provider register", {"--namespace": namespace, "--subscription": subscription, "--wait": wait})


def login_line(scope: str, challenge: str) -> str:
    """The line that signs in anew, with the claims that are asked for, in base64."""
    return az("login", {"--scope": scope, "--claims-challenge": challenge})


def token_line(subscription: str) -> str:
    """The line that shows whether `az` is signed in to a subscription."""
    return az("account get-access-token", {"--subscription": subscription})


def _by_id(command: str, resource_id: ResourceId) -> str:
    """A command of a table, which ends with the option that takes the id."""
    words, _, option = command.rpartition(" ")
    return az(words, {option: resource_id})
