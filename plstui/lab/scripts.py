"""The lab as a bash script of `az` commands: what a plan has still to do, or what takes the lab down.

The values are variables at the top; nothing in a script is a secret.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Sequence
from shlex import quote

from plstui.config.locations import expand
from plstui.domain.sides import Side
from plstui.domain.text import clean
from plstui.lab import azlines
from plstui.lab.az import LONGEST, RUNNING, filled, ids_of, page_of, template_of, values_of, with_address
from plstui.lab.cloudinit import user_data
from plstui.lab.inventory import Inventory
from plstui.lab.parts import StepState, Want
from plstui.lab.progress import StepStatus
from plstui.lab.steps import Workshop

WIDTH = 100
"""Columns of a script's comments."""

_PLACES = {Side.ISV: "ISV", Side.CUSTOMER: "CUSTOMER"}
"""How each side's variables begin."""

_LAST_STEPS = {
    Side.ISV: (
        18,
        "Delete the ISV's group",
        "A service that still has connections cannot be deleted, and neither can a group that holds one.",
    ),
    Side.CUSTOMER: (19, "Delete the customer's group", "All else that the customer built is in this group."),
}
"""Number, title and reason of the step that deletes each side's group."""


def script(workshop: Workshop, statuses: Sequence[StepStatus]) -> str:
    """A bash script that does what a plan has still to do, and no more."""
    body = ""
    for status in statuses:
        template = _left(workshop, status)
        if "ADDRESS=" not in body:
            template = with_address(template)
        told = _heading(status.step.number, status.step.side, status.step.title, status.step.why)
        if status.state is StepState.BLOCKED:
            body += "\n".join([*told, *_comment(f"Left out: {status.because}.")]) + "\n\n"
        elif template:
            body += "\n".join([*told, *_files(body, template), _with_variables(workshop, template)]) + "\n\n"
    return _whole(workshop, "What the lab of plstui has still to do.", body or "# Nothing is left to do.\n")


def teardown(
    workshop: Workshop, found: Inventory, *, sides: Collection[Side] = tuple(Side), confirmed: Collection[str] = ()
) -> str:
    """A bash script that takes down what was found: connections first, then what they lead to, then the groups.

    What `Group.obstacle` speaks against is left out, and the reason is in the script. A group whose tags said that it
    is plstui's is deleted only while they say so.
    """
    groups = {side: found.groups[side] for side in (Side.ISV, Side.CUSTOMER) if side in sides and side in found.groups}
    obstacles = {side: group.obstacle(confirmed) for side, group in groups.items() if group.exists}
    drops = {
        Side.ISV: (azlines.EMPTY_SERVICE if found.service else "") + azlines.DROP_ISV,
        Side.CUSTOMER: azlines.DROP_CUSTOMER,
    }
    checks = {
        side: f'require_tags "${place}_GROUP" "${place}" {quote(clean(groups[side].run, LONGEST))}'
        for side, place in _PLACES.items()
        if side in obstacles and not obstacles[side] and groups[side].is_ours
    }
    body = "\n".join([azlines.REQUIRE_TAGS, *checks.values()]) + "\n\n" if checks else ""
    if found.endpoint and obstacles.get(Side.CUSTOMER) == "":
        why = "The customer leaves the service. Its connection goes with it."
        body += _removal(workshop, 17, Side.CUSTOMER, "Delete the endpoint", why, azlines.LEAVE_SERVICE)
    for side, obstacle in obstacles.items():
        number, title, why = _LAST_STEPS[side]
        if obstacle:
            body += "\n".join([*_heading(number, side, title, why), *_comment(f"Left out: {obstacle}.")]) + "\n\n"
        else:
            body += _removal(workshop, number, side, title, why, drops[side], checks.get(side, ""))
    return _whole(workshop, "Takes the lab of plstui down.", body or "# Nothing is left to take down.\n")


def _left(workshop: Workshop, status: StepStatus) -> str:
    """The templates of what a step still lacks."""
    if status.state in (StepState.DONE, StepState.BLOCKED):
        return ""
    if status.step.opens_page:
        return page_of(workshop)
    created = {part.key for part in status.step.parts if isinstance(part, Want) and part.key in status.lacking}
    # A machine that is created runs; only one that is there and does not is started.
    keys = [key for key in status.lacking if not key.endswith(RUNNING) or key.removesuffix(RUNNING) not in created]
    return "".join(template_of(workshop, key) for key in keys)


def _with_variables(workshop: Workshop, template: str) -> str:
    """A template as commands that name variables, long ones on several lines."""
    names = (*values_of(workshop), "SERVICE_ID", "PUBLIC_KEY")
    words = {name: f'"${name}"' for name in names} | {
        "CONNECTION_QUERY": f'"{azlines.CONNECTION_QUERY.format("$ENDPOINT_ID")}"',
        "CONNECTIONS_QUERY": f'"{azlines.CONNECTIONS_QUERY.format("$SERVICE")}"',
        "WEB_INIT": '"$FILES/web.yaml"',
        "CLIENT_INIT": '"$FILES/client.yaml"',
        "PAGE_NAME": "$RECORD.$ZONE",
    }
    template = re.sub(r"(?m)^( *)(-?)(.*) (?=\{\w+_PLACE\}$)", _place_on_its_own_line, template)
    return filled(re.sub(r"\n( +)(?! |az )", r" \\\n\1", template), words)


def _place_on_its_own_line(line: re.Match[str]) -> str:
    """A command's line and a new one for its place: in under the command, level with its other options."""
    indent, option, _ = line.groups()
    return f"{line[0].removesuffix(' ')}\n{indent}{'' if option else '  '}"


def _whole(workshop: Workshop, what: str, body: str) -> str:
    """A script: what it is, the variables that it uses, and its commands."""
    ids = _id_lines(workshop, body)
    text = "\n".join([*ids, body])
    lines = [f"{name}={quote(value)}" for name, value in values_of(workshop).items() if _uses(text, name)]
    if _uses(body, "PUBLIC_KEY"):
        lines += [*_key_file(workshop), 'PUBLIC_KEY=$(cat "$KEY_FILE")']
    if _uses(body, "FILES"):
        lines += ["FILES=$(mktemp -d)", "trap 'rm -rf \"$FILES\"' EXIT"]
    title = _comment(f"{what} For az 2.91, signed in to the subscriptions below.")
    head = ["#!/usr/bin/env bash", *title, "set -euo pipefail", "", *lines, *ids, ""]
    return "\n".join([*head, body.rstrip("\n")]) + "\n"


def _id_lines(workshop: Workshop, body: str) -> list[str]:
    """The variables with the ids that a script uses, put together from others; an id that was given stays as it is."""
    ids = ids_of(workshop, {name: f"${name}" for name in values_of(workshop)})
    words = {name: f'"{value}"' for name, value in ids.items()}
    if workshop.lab.service_id:
        words["SERVICE_ID"] = quote(ids["SERVICE_ID"])
    return [f"{name}={word}" for name, word in words.items() if _uses(body, name)]


def _uses(text: str, name: str) -> bool:
    return re.search(rf"\${name}\b", text) is not None


def _key_file(workshop: Workshop) -> list[str]:
    """The lines that say where the public key is."""
    if named := workshop.lab.public_key:
        return [f"KEY_FILE={quote(clean(str(expand(named)), LONGEST))}"]
    return ["KEY_FILE=~/.ssh/id_ed25519.pub", '[ -e "$KEY_FILE" ] || KEY_FILE=~/.ssh/id_rsa.pub']


def _files(before: str, template: str) -> list[str]:
    """The lines that write the cloud-init files which a template needs and nothing before it wrote."""
    lines: list[str] = []
    for place, machine in (("{WEB_INIT}", "web"), ("{CLIENT_INIT}", "client")):
        if place in template and f"$FILES/{machine}.yaml" not in before:
            content = user_data("web" if machine == "web" else "client").rstrip("\n")
            lines += [f"cat >\"$FILES/{machine}.yaml\" <<'END_OF_FILE'", content, "END_OF_FILE"]
    return lines


def _heading(number: int, side: Side, title: str, why: str) -> list[str]:
    return [*_comment(f"{number}. {side.marker} {title}"), *_comment(why)]


def _comment(text: str) -> list[str]:
    """Text as comment lines; on one line first, so that no word of it ever stands outside a comment."""
    return textwrap.wrap(clean(text, LONGEST), WIDTH, initial_indent="# ", subsequent_indent="# ")


def _removal(workshop: Workshop, number: int, side: Side, title: str, why: str, template: str, check: str = "") -> str:
    """One step down, which a group that is gone already makes needless; `check` comes before its group is deleted."""
    place = _PLACES[side]
    exists = f'"$(az group exists --name "${place}_GROUP" --subscription "${place}")"'
    lines = _with_variables(workshop, template)
    if check:
        lines = lines.replace("az group delete", f"{check}\naz group delete")
    commands = textwrap.indent(lines, "  ")
    return "\n".join([*_heading(number, side, title, why), f"if [ {exists} = true ]; then", commands, "fi"]) + "\n\n"
