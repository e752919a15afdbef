"""Which providers a subscription is registered for, and what each provider offers where."""

from __future__ import annotations

from typing import Any

from plstui.sandbox.azure import Azure
from plstui.sandbox.gateway import errors
from plstui.sandbox.gateway.call import Call
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.messages import Response
from plstui.sandbox.latency import Pace
from plstui.sandbox.providers.locations import REGIONS
from plstui.sandbox.providers.resources.catalogue import PROVIDERS, ProviderType

REGISTERING = Pace(30)
"""Registering takes Azure minutes at times, and is rarely done under half of one."""

FREE = frozenset({"microsoft.resources", "microsoft.authorization"})
"""What every subscription may use without registering."""


class Registrations:
    """Registration of providers by subscription; at first every provider is registered."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure
        self._states: dict[tuple[str, str], str] = {}

    def state(self, subscription: str, namespace: str) -> str:
        """Registered, Registering, Unregistering, NotRegistered or Unregistered."""
        return self._states.get((subscription.lower(), namespace.lower()), "Registered")

    def set_state(self, subscription: str, namespace: str, state: str) -> None:
        """Say how a provider stands in a subscription."""
        self._states[subscription.lower(), namespace.lower()] = state

    def check(self, call: Call) -> None:
        """Raise the 409 of ARM for a write through a provider that the subscription is not registered for."""
        namespace = call.path.namespace
        if namespace.lower() in FREE or call.method not in ("PUT", "PATCH", "POST"):
            return
        if self.state(call.subscription, namespace) in ("NotRegistered", "Unregistered"):
            message = (
                f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found "
                "for how to register subscriptions."
            )
            code = "MissingSubscriptionRegistration"
            raise ArmError(409, code, message, details=[{"code": code, "target": namespace, "message": message}])

    def handle(self, call: Call) -> Response:
        """`providers`, `providers/{namespace}`, and POST `register` and `unregister`."""
        subscription, namespace = call.subscription, call.path.namespace
        if not namespace:
            _only(call, "GET", "HEAD")
            return Response(200, {"value": [self._body(subscription, name) for name in PROVIDERS]})
        canonical = next((name for name in PROVIDERS if name.lower() == namespace.lower()), None)
        if canonical is None:
            raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace[:100]}' is invalid.")
        if not call.action:
            _only(call, "GET", "HEAD")
            return Response(200, self._body(subscription, canonical))
        if call.action not in ("register", "unregister"):
            raise errors.invalid_resource_type(f"{namespace}/{call.action}", call.api_version)
        _only(call, "POST")
        return self._change(call, canonical)

    def _change(self, call: Call, namespace: str) -> Response:
        before = self.state(call.subscription, namespace)
        passing, final = {
            "register": ("Registering", "Registered"),
            "unregister": ("Unregistering", "Unregistered"),
        }[call.action]
        if before not in (passing, final):
            self.set_state(call.subscription, namespace, passing)
            self._azure.operations.start(
                lambda: self.set_state(call.subscription, namespace, final),
                REGISTERING,
                subscription=call.subscription,
                location="",
                api_version=call.api_version,
                on_failure=lambda: self.set_state(call.subscription, namespace, before),
            )
        return Response(200, self._body(call.subscription, namespace))

    def _body(self, subscription: str, namespace: str) -> dict[str, Any]:
        start = f"/subscriptions/{subscription}" if subscription else ""
        return {
            "id": f"{start}/providers/{namespace}",
            "namespace": namespace,
            "resourceTypes": [_type(kind) for kind in PROVIDERS[namespace]],
            "registrationState": self.state(subscription, namespace),
            "registrationPolicy": "RegistrationFree" if namespace.lower() in FREE else "RegistrationRequired",
        }


def _type(kind: ProviderType) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": kind.name,
        "locations": ["global"] if kind.everywhere else [region.display_name for region in REGIONS.values()],
        "apiVersions": list(kind.api_versions),
        "defaultApiVersion": kind.api_versions[-1],
        "capabilities": "CrossResourceGroupResourceMove, CrossSubscriptionResourceMove, SupportsTags, SupportsLocation"
        if kind.tracked
        else "None",
    }
    if kind.zonal:
        body["zoneMappings"] = [
            {"location": region.display_name, "zones": [str(zone) for zone in range(1, region.zones + 1)]}
            for region in REGIONS.values()
            if region.zones
        ]
    return body


def _only(call: Call, *methods: str) -> None:
    if call.method not in methods:
        raise errors.method_not_allowed(call.method)
