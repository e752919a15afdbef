"""The lab in current `az` commands, part by part, with every value in its place.

Nothing in them is a secret. Values are quoted for the shell and made harmless to a terminal.
"""

from __future__ import annotations

import re

from plstui.domain.az import shell_word
from plstui.domain.text import clean
from plstui.lab import azlines
from plstui.lab.cloudinit import user_data_file
from plstui.lab.parts import Part, Step
from plstui.lab.steps import Workshop

LONGEST = 4000
"""Characters of a value; a public RSA key has hundreds."""

RUNNING = "-running"


def command(workshop: Workshop, part: Part) -> str:
    """The az commands that do one part, one a line."""
    return _alone(workshop, with_address(template_of(workshop, part.key)))


def commands(workshop: Workshop, step: Step) -> str:
    """The az commands that do one step, one a line; empty when its side has no subscription."""
    if step.absent:
        return ""
    keys = [part.key for part in step.parts if not part.key.endswith(RUNNING)]
    template = page_of(workshop) if step.opens_page else "".join(template_of(workshop, key) for key in keys)
    return _alone(workshop, with_address(template))


# Which commands


def template_of(workshop: Workshop, key: str) -> str:
    """The template of one part, in the variant that the settings ask for."""
    lab = workshop.lab
    variants = (
        (lab.isolated, azlines.WITHOUT_NAT),
        (lab.test_machine == "windows", azlines.WITH_WINDOWS),
        (lab.dns.kind == "public", azlines.WITH_PUBLIC_ZONE),
        (workshop.provider is None, azlines.WITHOUT_ISV),
    )
    chosen = azlines.PROVIDER | azlines.CONSUMER
    for applies, variant in variants:
        if applies:
            chosen |= variant
    return chosen[key]


def page_of(workshop: Workshop) -> str:
    """The template that opens the page by address and by name."""
    template = azlines.OPEN_PAGE_IN_WINDOWS if workshop.lab.test_machine == "windows" else azlines.OPEN_PAGE
    hosts = ["$ADDRESS"] if workshop.lab.dns.kind == "none" else ["$ADDRESS", "{PAGE_NAME}"]
    return "".join(template.format(host=host) for host in hosts)


def with_address(template: str) -> str:
    """A template that needs the endpoint's address, with the commands that find it."""
    needs = "$ADDRESS" in template and "ADDRESS=" not in template
    return azlines.FIND_ADDRESS + template if needs else template


# Values in their places


def values_of(workshop: Workshop) -> dict[str, str]:
    """Every value by the name of its variable."""
    lab, names, choices = workshop.lab, workshop.lab.names, workshop.choices
    values = {
        "ISV": workshop.provider.group.subscription if workshop.provider else "",
        "CUSTOMER": workshop.consumer.group.subscription if workshop.consumer else "",
        "REGION": choices.region,
        "SIZE": choices.size,
        "ADMIN": lab.user,
        "RUN": choices.run,
        "ISV_GROUP": names.isv_group,
        "VNET": names.virtual_network,
        "ISV_PREFIX": lab.isv_prefix,
        "SUBNET": names.subnet,
        "ISV_SUBNET_PREFIX": lab.isv_subnet_prefix,
        "NSG": names.security_group,
        "ASG": names.application_security_group,
        "NAT_ADDRESS": names.nat_address,
        "NAT_GATEWAY": names.nat_gateway,
        "SSH_KEY": names.ssh_key,
        "MACHINE": names.machine,
        "BALANCER": names.balancer,
        "FRONTEND": names.frontend,
        "POOL": names.pool,
        "SERVICE": names.service,
        "CUSTOMER_GROUP": names.customer_group,
        "SPOKE": names.customer_network,
        "CUSTOMER_PREFIX": lab.customer_prefix,
        "SPOKE_SUBNET": names.customer_subnet,
        "CUSTOMER_SUBNET_PREFIX": lab.customer_subnet_prefix,
        "TEST_MACHINE": names.test_machine,
        "ENDPOINT": names.endpoint,
        "ENDPOINT_CONNECTION": names.endpoint_connection,
        "MESSAGE": lab.message,
        "ZONE": lab.dns.zone,
        "ZONE_GROUP": lab.dns.group,
        "ZONE_LINK": names.zone_link,
        "RECORD": lab.dns.record,
    }
    return {name: clean(value, LONGEST) for name, value in values.items()}


def ids_of(workshop: Workshop, values: dict[str, str]) -> dict[str, str]:
    """The ids that a command needs, put together from values or from variables."""
    root = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/{}/{}"
    service = clean(workshop.lab.service_id, LONGEST) or root.format(
        values["ISV"], values["ISV_GROUP"], "privateLinkServices", values["SERVICE"]
    )
    return {
        "SERVICE_ID": service,
        "ENDPOINT_ID": root.format(
            values["CUSTOMER"], values["CUSTOMER_GROUP"], "privateEndpoints", values["ENDPOINT"]
        ),
    }


def _alone(workshop: Workshop, template: str) -> str:
    """A template as commands with every value in its place."""
    values = values_of(workshop)
    values |= ids_of(workshop, values)
    words = {name: shell_word(value) for name, value in values.items()} | {
        "CONNECTION_QUERY": shell_word(azlines.CONNECTION_QUERY.format(values["ENDPOINT_ID"])),
        "PUBLIC_KEY": shell_word(workshop.choices.public_key),
        "WEB_INIT": shell_word(str(user_data_file("web"))),
        "CLIENT_INIT": shell_word(str(user_data_file("client"))),
        # In the middle of a quoted word; the settings allow nothing in a name that the shell would act on.
        "PAGE_NAME": f"{values['RECORD']}.{values['ZONE']}",
    }
    return filled(re.sub(r"\n +", " ", template), words)


def filled(template: str, words: dict[str, str]) -> str:
    """A template with a word in each of its places, without empty lines."""
    places = {
        f"{side}_PLACE": f"--resource-group {words[group]} --subscription {words[subscription]}"
        for side, group, subscription in (
            ("ISV", "ISV_GROUP", "ISV"),
            ("CUSTOMER", "CUSTOMER_GROUP", "CUSTOMER"),
            ("ZONE", "ZONE_GROUP", "CUSTOMER"),
        )
    }
    lines = template.format(**words, **places).splitlines()
    return "\n".join(line for line in lines if line)
