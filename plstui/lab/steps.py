"""The workshop as data: its steps in order, what each is for, and what must be so when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from plstui.config.settings import Lab
from plstui.domain.ids import ResourceId
from plstui.domain.sides import Side
from plstui.lab.cloudinit import user_data
from plstui.lab.consumer import Consumer
from plstui.lab.parts import Part, Step, Survey
from plstui.lab.provider import Provider

ISV, CUSTOMER = Side.ISV, Side.CUSTOMER


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a plan needs beside the settings: what a person or the region decided."""

    region: str
    """The region's short name."""
    size: str
    """The machines' size."""
    public_key: str
    """One line in OpenSSH's format."""
    run: str
    """What the resource groups are tagged with when this run creates them."""
    password: str = field(default="", repr=False)
    """Windows' administrator's; empty when the test machine runs Ubuntu."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """The steps of the lab for two given subscriptions."""

    lab: Lab
    choices: Choices
    steps: tuple[Step, ...]
    provider: Provider | None
    """None when the ISV's subscription is not set."""
    consumer: Consumer | None
    """None when the customer's is not set."""

    def step(self, name: str) -> Step:
        """A step by its id or number. Raises `LookupError` with a sentence."""
        for step in self.steps:
            if name.lower() in (step.id, str(step.number)):
                return step
        known = ", ".join(f"{step.number} {step.id}" for step in self.steps)
        raise LookupError(f"There is no step {name!r}; there are {known}.")


def workshop(lab: Lab, subscriptions: dict[Side, str], choices: Choices) -> Workshop:
    """The lab for the sides that have a subscription; steps of the other say so."""
    keywords = {
        "region": choices.region,
        "size": choices.size,
        "public_key": choices.public_key,
        "run": choices.run,
    }
    isv, customer = subscriptions.get(ISV, ""), subscriptions.get(CUSTOMER, "")
    provider = Provider(lab, isv, **keywords) if isv else None
    service = ResourceId(lab.service_id) if lab.service_id else provider.service if provider else None
    consumer = Consumer(lab, customer, service, **keywords, password=choices.password) if customer else None
    return Workshop(lab, choices, tuple(_steps(lab, provider, consumer)), provider, consumer)


def _steps(lab: Lab, provider: Provider | None, consumer: Consumer | None) -> list[Step]:
    """All sixteen; 17 to 19 of the lab are how it is taken down."""
    names, dns = lab.names, lab.dns
    no_isv, no_customer = (f"the {side.label} subscription is not set" for side in (ISV, CUSTOMER))
    # The ISV's decision too needs the customer's endpoint, and an endpoint needs a service that is known.
    asking = consumer if consumer and consumer.service else None
    no_service = f"{no_isv}, and neither is lab.service_id" if consumer else no_customer
    made: list[Step] = []

    def add(
        step_id: str,
        side: Side,
        title: str,
        why: str,
        blade: str,
        parts: tuple[Part, ...] | str,
        *,
        kind: Literal["parts", "page"] = "parts",
        shows: Callable[[Survey], str] | None = None,
    ) -> None:
        absent = parts if isinstance(parts, str) else ""
        made.append(
            Step(
                id=step_id,
                number=len(made) + 1,
                side=side,
                title=title,
                why=why,
                blade=blade,
                parts=() if isinstance(parts, str) else parts,
                absent=absent,
                shows=shows or _nothing,
                opens_page=kind == "page",
            )
        )

    add(
        "isv-group",
        ISV,
        "Resource group",
        "Everything the ISV builds lives in one group, so that it can be taken away in one go. "
        "Its region must have three zones.",
        "Resource groups › Create",
        provider.group_parts() if provider else no_isv,
    )
    out = "without a way out" if lab.isolated else "with a NAT gateway as its only way out"
    add(
        "isv-network",
        ISV,
        "Isolated network",
        f"The machines get a private network {out}, and nothing from the internet can reach them. "
        "The rule that lets HTTP in names an application security group instead of addresses, so it holds for every "
        "machine that joins.",
        "Virtual networks, Network security groups, Application security groups, NAT gateways › Create",
        provider.network_parts() if provider else no_isv,
    )
    add(
        "machines",
        ISV,
        "Three machines in three zones",
        "One machine in each zone keeps the service up when a zone fails. cloud-init gives each a page that says which "
        "one answered.",
        "Virtual machines › Create",
        provider.machine_parts(user_data("web")) if provider else no_isv,
        shows=provider.zones if provider else None,
    )
    add(
        "balancer",
        ISV,
        "Internal load balancer",
        "A private link service stands in front of a Standard load balancer and nothing else. Internal means that its "
        "address is in the ISV's own network and cannot be reached from outside.",
        "Load balancers › Create",
        provider.balancer_parts() if provider else no_isv,
    )
    add(
        "probe",
        ISV,
        "Health probe",
        "The balancer sends new connections only to machines that answer on port 80. Without a probe it would send "
        "them to machines that are down as well.",
        f"{names.balancer} › Health probes › Add",
        provider.probe_parts() if provider else no_isv,
    )
    add(
        "rule",
        ISV,
        "Load-balancing rule",
        "The rule joins the address in front with the pool behind it and the probe. Its idle timeout of 15 minutes "
        "holds inside the network; through a private link a silent connection ends after four to five.",
        f"{names.balancer} › Load balancing rules › Add",
        provider.rule_parts() if provider else no_isv,
    )
    add(
        "pool",
        ISV,
        "Machines into the pool",
        "Now the balancer knows whom to send connections to. The interfaces keep their application security group, "
        "or the rule that lets HTTP in would no longer hold for them.",
        f"{names.balancer} › Backend pools › {names.pool}",
        provider.pool_parts() if provider else no_isv,
        shows=provider.members_up if provider else None,
    )
    add(
        "policies",
        ISV,
        "Subnet ready for the service",
        "A private link service takes its NAT addresses from a subnet whose policies for such services are off. "
        "Security rules would not hold for those addresses anyway.",
        f"{names.virtual_network} › Subnets › {names.subnet}",
        provider.policy_parts() if provider else no_isv,
    )
    add(
        "service",
        ISV,
        "Private link service",
        "This is what customers connect to: it hides the balancer behind an alias that can be given away. Whoever "
        "connects is translated to an address of the ISV's subnet, so neither side ever sees the other's network.",
        "Private Link Center › Private link services › Create",
        provider.service_parts() if provider else no_isv,
    )
    add(
        "offer",
        ISV,
        "Hand over the id or alias",
        "The customer needs the service's id, or its alias where the ISV does not want to show a subscription. Neither "
        "is a secret: the ISV still decides on every request.",
        f"{names.service} › Overview",
        provider.offer_parts() if provider else no_isv,
        shows=provider.alias if provider else None,
    )
    add(
        "customer-network",
        CUSTOMER,
        "Network, names and test machine",
        "The customer brings a network of their own, in another subscription and often another tenant. The test "
        "machine has no public address; a browser for this network.",
        "Virtual networks, Private DNS zones, Virtual machines › Create",
        consumer.network_parts(user_data("client")) if consumer else no_customer,
    )
    add(
        "endpoint",
        CUSTOMER,
        "Private endpoint",
        "The endpoint puts the ISV's service into the customer's network, at an address of its own. It is a request "
        "with a message, and no traffic flows before the ISV has said yes.",
        "Private Link Center › Private endpoints › Create",
        asking.endpoint_parts() if asking else no_service,
    )
    add(
        "approval",
        ISV,
        "Approve the request",
        "The ISV sees who asks and the message, and approves or rejects. Both sides see the same decision a moment "
        "later.",
        f"{names.service} › Private endpoint connections",
        asking.decision_parts(provider.service if provider else None) if asking else no_service,
    )
    add(
        "address",
        CUSTOMER,
        "The endpoint's address",
        "The address is in the customer's own network; its interface knows it. This is all that a client needs.",
        f"{names.endpoint} › Network interface",
        asking.address_parts() if asking else no_service,
        shows=asking.address if asking else None,
    )
    unnamed = "The address alone opens the page as well. "
    named = unnamed if dns.kind == "none" else f"The record {dns.record}.{dns.zone} leads to the endpoint's address. "
    add(
        "record",
        CUSTOMER,
        "A name for it" if dns.kind != "none" else "No name: the address alone",
        f"{named}People and certificates need a name, and the name can stay when the endpoint is made anew.",
        "Private DNS zones › Recordsets › Add" if dns.kind == "private" else "DNS zones › Recordsets › Add",
        asking.record_parts() if asking else no_service,
        shows=asking.name_and_address if asking else None,
    )
    add(
        "page",
        CUSTOMER,
        "Open the page",
        "The page comes from one of the three machines, over private addresses from end to end. New connections go to "
        "whichever machine the balancer picks.",
        f"A browser or curl on {names.test_machine}",
        () if asking else no_service,
        kind="page",
    )
    return made


def _nothing(_: Survey) -> str:
    return ""
