"""What could not be looked at is no good news."""

from __future__ import annotations

from plstui.domain.findings import healthy
from plstui.domain.findings.finding import Finding, Severity
from plstui.domain.ids import ResourceId
from plstui.domain.resources import Kind
from plstui.domain.sides import Side
from plstui.sandbox.gateway.messages import Request, Response
from tests.domain.findings.ward import Ward, told

FORBIDDEN = Response(403, {"error": {"code": "AuthorizationFailed", "message": "The client may not do that."}})


def unlooked(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.rule == "not-looked-at"]


async def test_types_that_may_not_be_listed_are_told_once_for_each_side(approved: Ward) -> None:
    async def meddle(request: Request) -> Response | None:
        mine = approved.box.isv.subscription.id in request.path and "/virtualMachines" in request.path
        theirs = approved.box.customer.subscription.id in request.path and "/Microsoft.Network/" in request.path
        return FORBIDDEN if request.method == "GET" and (mine or theirs) else None

    approved.meddle = meddle

    findings = await approved.findings()

    isv, customer = unlooked(findings)
    assert not healthy(findings)
    assert (isv.severity, customer.severity) == (Severity.WARNING, Severity.WARNING)
    assert isv.where == ResourceId(f"/subscriptions/{approved.box.isv.subscription.id}")
    assert isv.evidence == {"types": "Microsoft.Compute/virtualMachines"}
    assert customer.where == ResourceId(f"/subscriptions/{approved.box.customer.subscription.id}")
    assert "Microsoft.Network/privateEndpoints" in customer.what
    assert "Microsoft.Compute/virtualMachines" not in customer.what


async def test_machines_are_not_called_well_by_who_may_not_ask_the_balancer(approved: Ward) -> None:
    for web in ("web1", "web2", "web3"):
        await approved.box.network.break_web(web)

    async def meddle(request: Request) -> Response | None:
        return FORBIDDEN if request.method == "POST" and request.path.endswith("/health") else None

    approved.meddle = meddle

    findings = await approved.findings()

    (finding,) = unlooked(findings)
    assert not healthy(findings)
    assert (finding.severity, finding.where) == (Severity.WARNING, approved.provider.rule)
    assert finding.evidence == {"action": "Microsoft.Network/loadBalancers/loadBalancingRules/health/action"}


async def test_a_provider_that_is_not_registered_is_told_of_once(approved: Ward) -> None:
    await approved.register(Side.ISV, "Microsoft.Network", "unregister")
    missing = Response(409, {"error": {"code": "MissingSubscriptionRegistration", "message": "Register first."}})

    async def meddle(request: Request) -> Response | None:
        root = f"/subscriptions/{approved.box.isv.subscription.id}/providers/Microsoft.Network/"
        return missing if request.path.startswith(root) else None

    approved.meddle = meddle

    world = await approved.world()

    assert not world.knows(Side.ISV, Kind.SERVICES)
    findings = told(world)
    assert findings[0].rule == "provider-not-registered"
    assert unlooked(findings) == []
