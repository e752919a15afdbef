"""Which member of a pool a flow goes to."""

from __future__ import annotations

from collections import Counter

import pytest

from plstui.sandbox.fabric.balancing import Tuple, choose
from plstui.sandbox.fabric.topology import Attachment


def member(address: str) -> Attachment:
    return Attachment(
        id=address,
        address=address,
        nic_id=f"nic-{address}",
        subnet_id="vnet/subnets/saas",
        asgs=frozenset(),
        nic_nsg=None,
        pools=frozenset(),
        endpoint_id=None,
        public_address=None,
        mac="",
        primary=True,
    )


MEMBERS = [member("10.0.1.4"), member("10.0.1.5"), member("10.0.1.6")]
FLOWS = [Tuple("10.0.1.8", port, "10.0.1.7", 80) for port in range(1024, 1324)]


def test_flows_spread_over_all_members() -> None:
    share = Counter(choose(flow, "Default", MEMBERS).address for flow in FLOWS)
    assert all(60 < share[each.address] < 140 for each in MEMBERS)


def test_a_flow_stays_with_its_member() -> None:
    assert len({choose(FLOWS[0], "Default", MEMBERS).address for _ in range(5)}) == 1


def test_a_member_that_leaves_takes_only_its_own_flows_along() -> None:
    staying = MEMBERS[:2]
    for flow in FLOWS:
        before = choose(flow, "Default", MEMBERS)
        if before in staying:
            assert choose(flow, "Default", staying) == before


@pytest.mark.parametrize("distribution", ["SourceIP", "SourceIPProtocol"])
def test_affinity_ignores_the_ports(distribution: str) -> None:
    assert len({choose(flow, distribution, MEMBERS).address for flow in FLOWS}) == 1
    clients = [Tuple(f"10.0.2.{number}", 40000, "10.0.1.7", 80) for number in range(1, 60)]
    assert len({choose(flow, distribution, MEMBERS).address for flow in clients}) == 3
