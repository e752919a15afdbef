"""Read a deployment's template: its parameters, and the resources with what each depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from plstui.domain.ids import ResourceId
from plstui.sandbox.gateway.errors import ArmError
from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.gateway.routing import is_name
from plstui.sandbox.providers import locations
from plstui.sandbox.providers.resources.deployments.expressions import (
    Budget,
    CallOf,
    Evaluator,
    Function,
    Literal,
    Node,
    invalid_template,
)
from plstui.sandbox.providers.resources.deployments.functions import SIMPLE
from plstui.sandbox.providers.resources.deployments.parameters import Parameters, type_of
from plstui.sandbox.store import Body

NESTED = "microsoft.resources/deployments"
MOST_RESOURCES = 800
"""Resources of one template; ARM's own limit."""

_NOT_IN_BODY = frozenset({"apiversion", "type", "name", "dependson", "condition", "comments", "resources", "scope"})


class MissingReference(Exception):
    """A `reference` was met whose resource has to be asked for first."""

    def __init__(self, resource_id: ResourceId, api_version: str, full: bool) -> None:
        super().__init__(resource_id.text)
        self.wanted = (resource_id, api_version, full)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a template is deployed."""

    group: Mapping[str, Any]
    """The resource group, as ARM answers it."""
    subscription: Mapping[str, Any]
    """What the function `subscription` gives."""
    deployment: str
    """The deployment's name."""

    @property
    def group_id(self) -> str:
        """The group's id."""
        return str(self.group["id"])


@dataclass(eq=False)
class Planned:
    """One resource of a template."""

    id: ResourceId
    api_version: str
    raw: Body
    """As the template has it, nothing worked out."""
    location: str | None
    symbol: str = ""
    """What newer templates call it."""
    after: list[Planned] = field(default_factory=list)
    """What has to be there first."""

    @property
    def name(self) -> str:
        """As the template writes it: `network/subnet` for a child."""
        return "/".join(self.id.text.partition("/providers/")[2].split("/")[2::2])


class Template:
    """A template with the values of its parameters. Raises `InvalidTemplate` for what cannot be used."""

    def __init__(self, properties: Fields, scope: Scope) -> None:
        self.scope = scope
        self.fields = properties.fields("template")
        if "resources" not in self.fields and "outputs" not in self.fields:
            raise invalid_template("The template has no resources")
        self._budget = Budget()
        self.resources: list[Planned] = []
        self._by_word: dict[str, Planned] = {}
        self.parameters = Parameters()
        self.parameters.read(
            self.fields.fields("parameters"),
            properties.fields("parameters"),
            lambda value: self.evaluator().value(value),
        )
        self._plan()

    @property
    def hash(self) -> str:
        """A number that is the same for the same template."""
        text = json.dumps(self.fields.raw, sort_keys=True)
        return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]))

    # Working out

    def evaluator(self, references: Mapping[tuple[ResourceId, str, bool], Any] | None = None) -> Evaluator:
        """Works out values; without `references`, a `reference` is refused as ARM refuses it in names and the like."""
        functions: dict[str, Function] = {
            **SIMPLE,
            "parameters": self._parameter,
            "variables": self._variable,
            "resourceid": self._resource_id,
            "resourcegroup": lambda evaluator, _: evaluator.charged(dict(self.scope.group)),
            "subscription": lambda _evaluator, _: dict(self.scope.subscription),
            "deployment": lambda _evaluator, _: {"name": self.scope.deployment},
        }
        if references is not None:
            functions["reference"] = lambda evaluator, arguments: self._reference(evaluator, arguments, references)
        return Evaluator(functions, self._budget)

    def _parameter(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        name = _one_name(evaluator, arguments, "parameters")
        return evaluator.charged(self.parameters.value(name))

    def _variable(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> Any:
        name = _one_name(evaluator, arguments, "variables")
        variables = self.fields.fields("variables")
        if variables.value(name) is None:
            raise invalid_template(f"The template variable '{name[:60]}' is not found")
        return evaluator.value(variables.value(name))

    def _resource_id(self, evaluator: Evaluator, arguments: tuple[Node, ...]) -> str:
        """`resourceId([subscription], [group], type, name…)`."""
        words = [evaluator.node(argument) for argument in arguments]
        if not all(isinstance(word, str) for word in words):
            raise invalid_template("Unable to evaluate template language function 'resourceId': strings are wanted")
        at = next((at for at, word in enumerate(words) if "/" in word), -1)
        kind, names = (words[at], words[at + 1 :]) if at >= 0 else ("", [])
        if not 0 <= at <= 2 or len(names) != kind.count("/"):
            raise invalid_template(
                "Unable to evaluate template language function 'resourceId': the type "
                f"'{kind[:60]}' requires '{kind.count('/')}' resource name argument(s)"
            )
        subscription = words[0] if at == 2 else ResourceId(self.scope.group_id).subscription
        group = words[at - 1] if at else str(self.scope.group["name"])
        start = f"/subscriptions/{subscription}/resourceGroups/{group}"
        return start + _provider_path(kind, names)

    def _reference(
        self,
        evaluator: Evaluator,
        arguments: tuple[Node, ...],
        references: Mapping[tuple[ResourceId, str, bool], Any],
    ) -> Any:
        """`reference(name or id, [api-version], ['Full'])`."""
        words = [evaluator.node(argument) for argument in arguments]
        if not 1 <= len(words) <= 3 or not all(isinstance(word, str) for word in words):
            raise invalid_template("Unable to evaluate template language function 'reference': strings are wanted")
        planned = self.find(words[0])
        if planned is None and not words[0].lower().startswith("/subscriptions/"):
            raise _not_defined(words[0])
        api_version = words[1] if len(words) > 1 else planned.api_version if planned else ""
        wanted = (planned.id if planned else _parsed(words[0]), api_version, words[2:] == ["Full"])
        if wanted not in references:
            raise MissingReference(*wanted)
        return evaluator.charged(references[wanted])

    # Resources

    def _plan(self) -> None:
        planned: list[tuple[Planned, list[str]]] = []
        for symbol, declared in _resources(self.fields):
            self._plan_one(declared, symbol, None, planned)
        if len(planned) > MOST_RESOURCES:
            raise invalid_template(f"The number of template resources exceeds the limit of '{MOST_RESOURCES}'")
        self.resources = [resource for resource, _ in planned]
        for resource in self.resources:
            if self.find(resource.id.text):
                raise invalid_template(f"The resource '{resource.id}' is defined multiple times in a template")
            self._index(resource)
        for resource, after in planned:
            wanted = [*after, *self._named_in(resource.raw)]
            found = [self._defined(word) for word in wanted]
            resource.after += [other for other in dict.fromkeys(found) if other is not resource]
        _check_no_circle(self.resources)

    def _plan_one(
        self, resource: Fields, symbol: str, parent: Planned | None, planned: list[tuple[Planned, list[str]]]
    ) -> None:
        """Plan a resource and what stands inside it; a false condition leaves both out."""
        evaluator = self.evaluator()
        if "copy" in resource:
            raise invalid_template("Copies of resources are not supported by this sandbox")
        if "condition" in resource and evaluator.value(resource.value("condition")) in (False, "False", "false"):
            return
        kind = _word(evaluator, resource, "type")
        name = _word(evaluator, resource, "name")
        if parent:
            kind, name = f"{parent.id.type}/{kind}", f"{parent.name}/{name}"
        names = name.split("/")
        if len(names) != kind.count("/") or not kind.partition("/")[0] or not all(map(is_name, names)):
            raise invalid_template(
                f"The template resource '{name[:100]}' for type '{kind[:100]}' has incorrect segment lengths"
            )
        location = evaluator.value(resource.value("location"))
        new = Planned(
            _parsed(self._start(evaluator, resource, kind) + _provider_path(kind, names)),
            _word(evaluator, resource, "apiVersion"),
            resource.raw,
            locations.normal(location) if isinstance(location, str) else None,
            symbol,
            [parent] if parent else [],
        )
        after = [word for item in resource.items("dependsOn") if isinstance(word := evaluator.value(item), str)]
        planned.append((new, after))
        for child in resource.objects("resources"):
            self._plan_one(child, "", new, planned)

    def _start(self, evaluator: Evaluator, resource: Fields, kind: str) -> str:
        """The group a resource is put into: a nested deployment may name another one."""
        group = evaluator.value(resource.value("resourceGroup"))
        if kind.lower() != NESTED or not isinstance(group, str):
            return self.scope.group_id
        subscription = evaluator.value(resource.value("subscriptionId"))
        if not isinstance(subscription, str):
            subscription = ResourceId(self.scope.group_id).subscription
        return f"/subscriptions/{subscription}/resourceGroups/{group}"

    def _named_in(self, raw: Any) -> list[str]:
        """The resources of this template that a resource's properties refer to by `reference('name')`."""
        names: list[str] = []
        for node in self.evaluator().calls(raw, "reference"):
            first = node.arguments[0] if node.arguments else None
            if isinstance(first, Literal) and isinstance(first.value, str):
                word = first.value
            elif isinstance(first, CallOf) and first.name.lower() == "resourceid":
                word = self.evaluator().node(first)
            else:
                continue
            if self.find(word):
                names.append(word)
        return names

    def find(self, word: str) -> Planned | None:
        """A resource of this template by id, by type and name, by name alone or by what the template calls it."""
        return self._by_word.get(word.lower().strip("/"))

    def _index(self, resource: Planned) -> None:
        path = resource.id.key.partition("/providers/")[2]
        name = resource.name.lower()
        for word in (
            resource.id.key.strip("/"),
            path,
            f"{resource.id.type.lower()}/{name}",
            name,
            resource.symbol.lower(),
        ):
            if word:
                self._by_word.setdefault(word, resource)

    def _defined(self, word: str) -> Planned:
        found = self.find(word)
        if found is None:
            raise _not_defined(word)
        return found

    def body_of(self, resource: Planned, references: Mapping[tuple[ResourceId, str, bool], Any]) -> Body:
        """The request body of a resource; raises `MissingReference`."""
        raw = {name: value for name, value in resource.raw.items() if name.lower() not in _NOT_IN_BODY}
        if resource.id.type.lower() != NESTED:
            body: Body = self.evaluator(references).value(raw)
            return body
        return self._nested_body(raw, references)

    def _nested_body(self, raw: Body, references: Mapping[tuple[ResourceId, str, bool], Any]) -> Body:
        """A nested deployment works out its own template where it says so."""
        fields = Fields(raw)
        properties = fields.fields("properties")
        inner = properties.fields("expressionEvaluationOptions").text("scope").lower() == "inner"
        kept = {"template": properties.value("template")} if inner else {}
        rest = {name: value for name, value in properties.raw.items() if name.lower() != "template" or not inner}
        worked_out = self.evaluator(references).value(rest)
        worked_out.pop("expressionEvaluationOptions", None)
        return {"properties": {**worked_out, **kept}}

    def outputs(self, references: Mapping[tuple[ResourceId, str, bool], Any]) -> Body:
        """The outputs; raises `MissingReference`."""
        declared = self.fields.fields("outputs")
        outputs: Body = {}
        for name in declared.raw:
            output = declared.fields(name)
            if "condition" in output and self.evaluator(references).value(output.value("condition")) is False:
                continue
            kind, _ = type_of(name, output)
            value = self.evaluator(references).value(output.value("value"))
            outputs[name] = {"type": kind} if kind.startswith("Secure") else {"type": kind, "value": value}
        return outputs


def _resources(template: Fields) -> list[tuple[str, Fields]]:
    """The resources, which newer templates write as an object by symbolic name."""
    value = template.value("resources")
    if isinstance(value, dict):
        resources = template.fields("resources")
        return [(name, resources.fields(name)) for name in value]
    return [("", resource) for resource in template.objects("resources")]


def _word(evaluator: Evaluator, resource: Fields, name: str) -> str:
    value = evaluator.value(resource.text(name))
    if not isinstance(value, str) or not value:
        raise invalid_template(f"The template resource property '{resource.where}.{name}' is missing")
    return value


def _one_name(evaluator: Evaluator, arguments: tuple[Node, ...], function: str) -> str:
    name = evaluator.node(arguments[0]) if len(arguments) == 1 else None
    if not isinstance(name, str):
        raise invalid_template(f"Unable to evaluate template language function '{function}': one name is wanted")
    return name


def _provider_path(kind: str, names: list[str]) -> str:
    namespace, *types = kind.split("/")
    return f"/providers/{namespace}/" + "/".join(f"{word}/{name}" for word, name in zip(types, names, strict=True))


def _parsed(text: str) -> ResourceId:
    try:
        return ResourceId.parse(text)
    except ValueError:
        raise invalid_template(f"The resource identifier '{text[:200]}' is malformed") from None


def _not_defined(word: str) -> ArmError:
    return invalid_template(
        f"The resource '{word[:200]}' is not defined in the template. Please see https://aka.ms/arm-syntax for usage "
        "details."
    )


def _check_no_circle(resources: list[Planned]) -> None:
    try:
        TopologicalSorter({resource: resource.after for resource in resources}).prepare()
    except CycleError as error:
        names = ", ".join(resource.id.text for resource in error.args[1][:5])
        raise invalid_template(f"Circular dependency detected on resource: '{names}'") from None
