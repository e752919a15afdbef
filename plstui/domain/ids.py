"""Azure resource ids: parse, compare, shorten.

ARM answers with ids in whatever case it likes, back-references even upper-cased, so two ids are the same when they
match without regard to case. The text is kept exactly as Azure returned it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

SUBSCRIPTION = r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""What a subscription's id looks like, as a regular expression: it is put into paths, where no other text may be."""

Value = TypeVar("Value")


class _Once(Generic[Value]):
    """A property that is computed once: `functools.cached_property` without the lock that it takes before Python 3.12.

    A large subscription has tens of thousands of ids, and each is compared many times.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Value:
        value: Value = self._compute(instance)
        # Found there from now on, before this.
        instance.__dict__[self._name] = value
        return value


@dataclass(frozen=True, eq=False)
class ResourceId:
    """One ARM resource id; equal and hashed without regard to case."""

    text: str
    """The id exactly as Azure returned it."""

    @classmethod
    def parse(cls, text: str) -> ResourceId:
        """Read an id; raises `ValueError` with a sentence when it is not one."""
        candidate = cls("/" + text.strip().strip("/"))
        if not candidate._parts:
            raise ValueError(f"not a resource id: {text!r} (it starts with /subscriptions/…)")
        return candidate

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceId) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return self.text

    @_Once
    def key(self) -> str:
        """The id in lower case: what ids are compared and indexed by."""
        return self.text.lower()

    @_Once
    def _parts(self) -> tuple[str, str, str, tuple[tuple[str, str], ...]] | None:
        """`(subscription, group, namespace, ((type, name), …))`; None when this is no id."""
        # Split, not matched: a large subscription shows tens of thousands of ids with every refresh.
        root, *segments = self.text.split("/")
        if root or len(segments) < 2 or segments[0].lower() != "subscriptions" or not segments[1]:
            return None
        subscription, group, namespace = segments[1], "", ""
        rest = segments[2:]
        if len(rest) > 1 and rest[0].lower() == "resourcegroups" and rest[1]:
            group, rest = rest[1], rest[2:]
        pairs: tuple[tuple[str, str], ...] = ()
        if rest:
            if len(rest) < 4 or len(rest) % 2 or rest[0].lower() != "providers" or not all(rest):
                return None
            namespace, pairs = rest[1], tuple(zip(rest[2::2], rest[3::2], strict=True))
        return subscription, group, namespace, pairs

    @property
    def subscription(self) -> str:
        """The subscription's id."""
        return self._parts[0] if self._parts else ""

    @property
    def resource_group(self) -> str:
        """The resource group's name; empty for ids outside a group."""
        return self._parts[1] if self._parts else ""

    @_Once
    def type(self) -> str:
        """The full type, `Microsoft.Network/privateLinkServices`; a group is `Microsoft.Resources/resourceGroups`."""
        if not self._parts:
            return ""
        _, group, namespace, pairs = self._parts
        if pairs:
            return "/".join((namespace, *(kind for kind, _ in pairs)))
        return "Microsoft.Resources/resourceGroups" if group else "Microsoft.Resources/subscriptions"

    @property
    def name(self) -> str:
        """The last name in the id."""
        if not self._parts:
            return self.text
        subscription, group, _, pairs = self._parts
        return pairs[-1][1] if pairs else (group or subscription)

    @property
    def parent(self) -> ResourceId | None:
        """The resource this one is a child of; a top-level resource's parent is its group."""
        if not self._parts:
            return None
        _, group, _, pairs = self._parts
        if len(pairs) > 1:
            return ResourceId(self.text.rsplit("/", 2)[0])
        if pairs and group:
            return ResourceId(self.text.rsplit("/", 4)[0])
        return None

    def child(self, kind: str, name: str) -> ResourceId:
        """The id of a child resource, `kind` being the last part of its type."""
        return ResourceId(f"{self.text}/{kind}/{name}")

    def is_type(self, kind: str) -> bool:
        """Whether the full type is `kind`, without regard to case."""
        return self.type.lower() == kind.lower()
