"""Data sources whose answer follows from the configuration alone: no one has to be asked for it.

Sources: AWS provider documentation, "Data Source: aws_iam_policy_document" and "Data Source: aws_default_tags";
Template provider documentation, "template_file" ("variables must all be primitives").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Protocol, TypeAlias

from infraspec.terraform.calls import render_text
from infraspec.terraform.policy_document import render_document
from infraspec.terraform.providers import Provider
from infraspec.terraform.scope import Scope
from infraspec.terraform.template_expressions import render_template
from infraspec.terraform.types import CollectionType, PrimitiveType
from infraspec.unknown import Value

_VARIABLES = CollectionType("map", PrimitiveType("string"))


class DataInstance(Protocol):
    """An instance of a data source: what is configured, by which provider, and the scope it is evaluated in."""

    provider: Provider
    scope: Scope

    @property
    def values(self) -> Mapping[str, Value]:
        """Return what is configured."""


Derivation: TypeAlias = Callable[[DataInstance], Value]


def derivations(type_: str) -> Mapping[str, Derivation]:
    """Return the attributes of a data source that can be derived, with how."""
    return _DERIVATIONS.get(type_, _NONE)


def _rendered_template(instance: DataInstance) -> Value:
    """Render the text with its variables, all of which the provider turns into text."""
    variables = _VARIABLES.convert(instance.values.get("vars") or {})
    return render_text([instance.values.get("template"), variables], instance.scope, render_template)


_NONE: Mapping[str, Derivation] = MappingProxyType({})
_DERIVATIONS: Mapping[str, Mapping[str, Derivation]] = {
    "aws_iam_policy_document": {
        "json": lambda instance: render_document(instance.values),
        "minified_json": lambda instance: render_document(instance.values, minified=True),
    },
    "aws_default_tags": {"tags": lambda instance: instance.provider.default_tags},
    "template_file": {"rendered": _rendered_template},
}
