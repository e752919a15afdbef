"""The workshop as data: its steps in order, what each is for, and what must be so when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from itertools import count
from typing import Generic, NamedTuple, TypeVar

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


Half = TypeVar("Half")


class _Both(NamedTuple):
    """What a request is between: who asks, and the ISV's half where its subscription is set."""

    consumer: Consumer
    provider: Provider | None


@dataclass(frozen=True)
class _Record(Generic[Half]):
    """One step; `{names.…}` and the like in its texts stand for what the settings say."""

    id: str
    side: Side
    title: str
    why: str
    blade: str
    parts: Callable[[Half], tuple[Part, ...]]
    _: KW_ONLY
    shows: Callable[[Half, Survey], str] = lambda _half, _survey: ""
    opens_page: bool = False

    def step(self, number: int, half: Half | None, absent: str, words: Mapping[str, object]) -> Step:
        """The step for one half; without that half it says what is absent."""
        return Step(
            id=self.id,
            number=number,
            side=self.side,
            title=self.title.format_map(words),
            why=self.why.format_map(words),
            blade=self.blade.format_map(words),
            parts=() if half is None else self.parts(half),
            absent=absent if half is None else "",
            shows=_nothing if half is None else partial(self.shows, half),
            opens_page=self.opens_page,
        )


_PROVIDING: tuple[_Record[Provider], ...] = (
    _Record(
        "isv-group",
        ISV,
        "Resource group",
        "Everything the ISV builds lives in one group, so that it can be taken away in one go. "
        "Its region must have three zones.",
        "Resource groups › Create",
        Provider.group_parts,
    ),
    _Record(
        "isv-network",
        ISV,
        "Isolated network",
        "The machines get a private network {out}, and nothing from the internet can reach them. "
        "The rule that lets HTTP in names an application security group instead of addresses, so it holds for every "
        "machine that joins.",
        "Virtual networks, Network security groups, Application security groups, NAT gateways › Create",
        Provider.network_parts,
    ),
    _Record(
        "machines",
        ISV,
        "Three machines in three zones",
        "One machine in each zone keeps the service up when a zone fails. cloud-init gives each a page that says which "
        "one answered.",
        "Virtual machines › Create",
        lambda isv: isv.machine_parts(user_data("web")),
        shows=Provider.zones,
    ),
    _Record(
        "balancer",
        ISV,
        "Internal load balancer",
        "A private link service stands in front of a Standard load balancer and nothing else. Internal means that its "
        "address is in the ISV's own network and cannot be reached from outside.",
        "Load balancers › Create",
        Provider.balancer_parts,
    ),
    _Record(
        "probe",
        ISV,
        "Health probe",
        "The balancer sends new connections only to machines that answer on port 80. Without a probe it would send "
        "them to machines that are down as well.",
        "{names.balancer} › Health probes › Add",
        Provider.probe_parts,
    ),
    _Record(
        "rule",
        ISV,
        "Load-balancing rule",
        "The rule joins the address in front with the pool behind it and the probe. Its idle timeout of 15 minutes "
        "holds inside the network; through a private link a silent connection ends after four to five.",
        "{names.balancer} › Load balancing rules › Add",
        Provider.rule_parts,
    ),
    _Record(
        "pool",
        ISV,
        "Machines into the pool",
        "Now the balancer knows whom to send connections to. The interfaces keep their application security group, "
        "or the rule that lets HTTP in would no longer hold for them.",
        "{names.balancer} › Backend pools › {names.pool}",
        Provider.pool_parts,
        shows=Provider.members_up,
    ),
    _Record(
        "policies",
        ISV,
        "Subnet ready for the service",
        "A private link service takes its NAT addresses from a subnet whose policies for such services are off. "
        "Security rules would not hold for those addresses anyway.",
        "{names.virtual_network} › Subnets › {names.subnet}",
        Provider.policy_parts,
    ),
    _Record(
        "service",
        ISV,
        "Private link service",
        "This is what customers connect to: it hides the balancer behind an alias that can be given away. Whoever "
        "connects is translated to an address of the ISV's subnet, so neither side ever sees the other's network.",
        "Private Link Center › Private link services › Create",
        Provider.service_parts,
    ),
    _Record(
        "offer",
        ISV,
        "Hand over the id or alias",
        "The customer needs the service's id, or its alias where the ISV does not want to show a subscription. Neither "
        "is a secret: the ISV still decides on every request.",
        "{names.service} › Overview",
        Provider.offer_parts,
        shows=Provider.alias,
    ),
)

_PREPARING: tuple[_Record[Consumer], ...] = (
    _Record(
        "customer-network",
        CUSTOMER,
        "Network, names and test machine",
        "The customer brings a network of their own, in another subscription and often another tenant. The test "
        "machine has no public address; a browser for this network.",
        "Virtual networks, Private DNS zones, Virtual machines › Create",
        lambda customer: customer.network_parts(user_data("client")),
    ),
)

_CONNECTING: tuple[_Record[_Both], ...] = (
    _Record(
        "endpoint",
        CUSTOMER,
        "Private endpoint",
        "The endpoint puts the ISV's service into the customer's network, at an address of its own. It is a request "
        "with a message, and no traffic flows before the ISV has said yes.",
        "Private Link Center › Private endpoints › Create",
        lambda both: both.consumer.endpoint_parts(),
    ),
    _Record(
        "approval",
        ISV,
        "Approve the request",
        "The ISV sees who asks and the message, and approves or rejects. Both sides see the same decision a moment "
        "later.",
        "{names.service} › Private endpoint connections",
        lambda both: both.consumer.decision_parts(both.provider.service if both.provider else None),
    ),
    _Record(
        "address",
        CUSTOMER,
        "The endpoint's address",
        "The address is in the customer's own network; its interface knows it. This is all that a client needs.",
        "{names.endpoint} › Network interface",
        lambda both: both.consumer.address_parts(),
        shows=lambda both, survey: both.consumer.address(survey),
    ),
    _Record(
        "record",
        CUSTOMER,
        "{record_title}",
        "{named}People and certificates need a name, and the name can stay when the endpoint is made anew.",
        "{record_zones} › Recordsets › Add",
        lambda both: both.consumer.record_parts(),
        shows=lambda both, survey: both.consumer.name_and_address(survey),
    ),
    _Record(
        "page",
        CUSTOMER,
        "Open the page",
        "The page comes from one of the three machines, over private addresses from end to end. New connections go to "
        "whichever machine the balancer picks.",
        "A browser or curl on {names.test_machine}",
        lambda _: (),
        opens_page=True,
    ),
)


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


def _steps(lab: Lab, provider: Provider | None, consumer: Consumer | None) -> Iterator[Step]:
    """All sixteen; 17 to 19 of the lab are how it is taken down."""
    no_isv, no_customer = (f"the {side.label} subscription is not set" for side in (ISV, CUSTOMER))
    # The ISV's decision too needs the customer's endpoint, and an endpoint needs a service that is known.
    both = _Both(consumer, provider) if consumer and consumer.service else None
    no_service = f"{no_isv}, and neither is lab.service_id" if consumer else no_customer
    words, number = _words(lab), count(1)
    yield from (record.step(next(number), provider, no_isv, words) for record in _PROVIDING)
    yield from (record.step(next(number), consumer, no_customer, words) for record in _PREPARING)
    yield from (record.step(next(number), both, no_service, words) for record in _CONNECTING)


def _words(lab: Lab) -> dict[str, object]:
    """What the steps' texts have places for."""
    dns = lab.dns
    named = f"The record {dns.record}.{dns.zone} leads to the endpoint's address. "
    return {
        "names": lab.names,
        "out": "without a way out" if lab.isolated else "with a NAT gateway as its only way out",
        "named": "The address alone opens the page as well. " if dns.kind == "none" else named,
        "record_title": "No name: the address alone" if dns.kind == "none" else "A name for it",
        "record_zones": "Private DNS zones" if dns.kind == "private" else "DNS zones",
    }


def _nothing(_: Survey) -> str:
    return ""
