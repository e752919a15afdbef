"""The parameters of a template: what it declares, and what a deployment gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plstui.sandbox.gateway.fields import Fields
from plstui.sandbox.providers.resources.deployments.expressions import invalid_template
from plstui.sandbox.store import Body

_TYPES: dict[str, tuple[str, type]] = {
    "string": ("String", str),
    "securestring": ("SecureString", str),
    "int": ("Int", int),
    "bool": ("Bool", bool),
    "object": ("Object", dict),
    "secureobject": ("SecureObject", dict),
    "array": ("Array", list),
}
"""A parameter's type in lower case: ARM's spelling of it, and what its values are."""


def type_of(name: str, declaration: Fields) -> tuple[str, type]:
    """The type of a parameter or output; raises `InvalidTemplate`."""
    known = _TYPES.get(declaration.text("type").lower())
    if known is None:
        raise invalid_template(f"The type of the template parameter '{name}' is not valid")
    return known


class Parameters:
    """The values of a template's parameters. Raises `InvalidTemplate` for what does not fit."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str, Any]] = {}

    def read(self, declared: Fields, given: Fields, evaluate: Callable[[Any], Any]) -> None:
        """Take what is given, then what is declared as a default: that may refer to other parameters."""
        if strange := [name for name in given.raw if declared.value(name) is None]:
            raise invalid_template(
                f"The template parameters '{', '.join(strange)[:200]}' in the parameters file are not valid; they are "
                "not present in the original template and can therefore not be provided at deployment time. The only "
                f"supported parameters for this template are '{', '.join(declared.raw)[:200]}'"
            )
        sent = {name.lower(): given.fields(name) for name in given.raw if name in given}
        for name in sorted(declared.raw, key=lambda name: name.lower() not in sent):
            declaration = declared.fields(name)
            kind, wanted = type_of(name, declaration)
            value = _value(name, declaration, sent.get(name.lower()), evaluate)
            _check(name, value, kind, wanted, declaration.items("allowedValues"))
            self._values[name.lower()] = (name, kind, value)

    def value(self, name: str) -> Any:
        """The value of a parameter, by its name in any case."""
        if name.lower() not in self._values:
            raise invalid_template(f"The template parameter '{name[:60]}' is not found")
        return self._values[name.lower()][2]

    def shown(self) -> Body:
        """The parameters as answers show them: values of secure ones never."""
        return {
            name: {"type": kind} if kind.startswith("Secure") else {"type": kind, "value": value}
            for name, kind, value in self._values.values()
        }


def _value(name: str, declaration: Fields, sent: Fields | None, evaluate: Callable[[Any], Any]) -> Any:
    if sent is not None and "value" in sent:
        return sent.value("value")
    if "defaultValue" in declaration:
        return evaluate(declaration.value("defaultValue"))
    raise invalid_template(
        f"The value for the template parameter '{name}' is not provided. Please see "
        "https://aka.ms/arm-create-parameter-file for usage details."
    )


def _check(name: str, value: Any, kind: str, wanted: type, allowed: list[Any]) -> None:
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise invalid_template(f"The provided value for the template parameter '{name}' is not of type '{kind}'")
    if allowed and value not in allowed:
        raise invalid_template(
            f"The provided value for the template parameter '{name}' is not valid. The parameter is not part of the "
            "allowed value(s)"
        )
