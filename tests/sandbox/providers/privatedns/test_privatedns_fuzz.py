from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.providers.privatedns.dns import LINK, NETWORK, ZONE, Dns

NAMES = {"properties", "location", "tags", "ttl", "metadata", "aRecords", "ipv4Address", "soaRecord", "value", "id"} | {
    "txtRecords",
    "cnameRecord",
    "srvRecords",
    "virtualNetwork",
    "registrationEnabled",
    "resolutionPolicy",
    "email",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(NAMES)), inner, max_size=4),
    max_leaves=12,
)
PATHS = [ZONE, LINK, *(f"{ZONE}/{kind}/{name}" for kind in ("A", "SOA", "TXT", "CNAME", "SRV") for name in ("@", "x"))]


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["PUT", "PATCH", "DELETE", "GET", "POST"]),
    path=st.sampled_from([*PATHS, f"{ZONE}/ALL", f"{ZONE}/ALL/x", f"{ZONE}/A", f"{NETWORK}/privateDnsZones"]),
    body=st.fixed_dictionaries({"location": st.just("global"), "properties": anything}) | anything,
    headers=st.dictionaries(st.sampled_from(["if-match", "if-none-match"]), st.text(max_size=4), max_size=2),
    query=st.sampled_from(["", "?$top=0", "?$top=x", "?$skiptoken=99999999999", "?$skiptoken=-1"]),
)
async def test_nothing_that_is_sent_breaks_it(method: str, path: str, body: Any, headers: Any, query: str) -> None:
    dns = await (await Dns().start()).with_link()
    answer = await dns.call(method, path + query, body, headers=headers)
    assert answer.status < 500
    await dns.azure.operations.settle()
    zone = dns.azure.store.get(ZONE)
    if zone is not None:
        assert zone["properties"]["numberOfRecordSets"] == sum(
            str(item["id"]).startswith(f"{ZONE}/") and "virtualNetworkLinks" not in item["id"]
            for item in dns.azure.store
        )
