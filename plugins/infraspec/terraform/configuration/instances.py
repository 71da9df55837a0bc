"""Resource and data source instances: attributes evaluated on first use and remembered.

Sources: AWS provider documentation, "Data Source: aws_iam_policy_document" and "Data Source: aws_default_tags";
Template provider documentation, "template_file" ("variables must all be primitives").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from typing import Protocol

from infraspec.core.errors import DivisionByZeroError, EvaluationError, InfraspecError, LimitError, TerraformError
from infraspec.core.runtime import read_regular
from infraspec.core.unknown import Sensitive, Unknown, Value, is_known
from infraspec.resource_types import resource_type
from infraspec.terraform.configuration.declarations import Configuration, SourceBody, block_name
from infraspec.terraform.configuration.evaluation import Evaluation, place_error, unreadable_value
from infraspec.terraform.configuration.providers import Provider, tags_all
from infraspec.terraform.language.conversions import iterate
from infraspec.terraform.language.partial_values import named, operand
from infraspec.terraform.language.scope import EvaluatedObject, Scope
from infraspec.terraform.language.templates import render_template, render_text
from infraspec.terraform.language.types import CollectionType, PrimitiveType
from infraspec.terraform.language.values import BlockValue
from infraspec.terraform.plan import data_cause
from infraspec.terraform.provider.known_data import OF_THE_PROVIDER
from infraspec.terraform.provider.masking import mark_attribute
from infraspec.terraform.provider.policy_document import render_document
from infraspec.terraform.provider.schema import conform, has_tags, is_computed, unset

_POLICY_DOCUMENT = "aws_iam_policy_document"
_VARIABLES = CollectionType("map", PrimitiveType("string"))


def _rendered_template(instance: ResourceInstance) -> Value:
    """Render the text with its variables, all of which the provider turns into text."""
    variables = _VARIABLES.convert(instance.values.get("vars") or {})
    return render_text([instance.values.get("template"), variables], instance.scope, render_template)


_DERIVATIONS: Mapping[str, Mapping[str, Callable[[ResourceInstance], Value]]] = {
    _POLICY_DOCUMENT: {
        "json": lambda instance: render_document(instance.values),
        "minified_json": lambda instance: render_document(instance.values, minified=True),
    },
    "aws_default_tags": {"tags": lambda instance: instance.provider.default_tags},
    "template_file": {"rendered": _rendered_template},
}
"""How attributes of a data source are derived from what is configured."""
_NO_BLOCKS = frozenset({"lifecycle", "connection", "provisioner", "dynamic"})
_BUSY = object()


class InstanceValues(Mapping[str, Value]):
    """The configured attributes and nested blocks of one instance, lazily.

    `tags_all` joins them where the provider has default tags or the instance has tags; a policy document has `json`
    and `minified_json`.
    """

    def __init__(self, instance: ResourceInstance) -> None:
        self._instance = instance
        self._cache: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        value = self._cache.get(name, _BUSY)
        if value is _BUSY:
            if name not in self._instance.names():
                raise KeyError(name)
            value = self._cache[name] = self._instance.evaluate(name)
        if value is None and name == "tags_all":
            raise KeyError(name)
        return value

    def __contains__(self, name: object) -> bool:
        if name == "tags_all":
            return self.get("tags_all") is not None
        return name in self._instance.names()

    def get(self, name: str, default: Value = None) -> Value:
        """Return an attribute or the default."""
        value = self._cache.get(name)
        if value is not None:
            return value
        if name not in self._instance.names():
            return default
        try:
            return self[name]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._instance.names() if name != "tags_all" or self._has_tags_all())

    def _has_tags_all(self) -> bool:
        """Tell whether there are any; if that cannot be decided, say so to whoever asks for them."""
        try:
            return self.get("tags_all") is not None
        except TerraformError:
            return True

    def __len__(self) -> int:
        return sum(1 for _ in self)


class UnreadValues(Mapping[str, Value]):
    """What a block with a syntax error may set, whatever is asked for."""

    def __init__(self, address: str, error: InfraspecError) -> None:
        self._address = address
        self._error = error

    def __getitem__(self, name: str) -> Value:
        return unreadable_value(f"{self._address}.{name}", self._error)

    def __contains__(self, _name: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class DeclaringModule(Protocol):
    """The module instance that an instance is declared in."""

    @property
    def address(self) -> str:
        """`module.a["x"]`, empty in the root."""

    @property
    def configuration(self) -> Configuration:
        """What its directory declares."""

    @property
    def evaluation(self) -> Evaluation:
        """What it shares with all others."""

    @property
    def parent(self) -> DeclaringModule | None:
        """The module that calls it, None for the root."""

    @property
    def call_body(self) -> SourceBody | None:
        """The module block that calls it, None for the root."""

    def called(self, name: str) -> Iterator[DeclaringModule]:
        """Yield the instances of a module that it calls."""

    def provider_of(self, body: SourceBody, type_: str, scope: Scope) -> Provider:
        """Return the provider configuration that an instance of a resource or data source uses."""

    def remember(self, key: object, compute: Callable[[], Value], place: Callable[[], str], *, keep: bool) -> Value:
        """Return what was computed before, or compute it; CycleError if it depends on itself."""


class ResourceInstance(EvaluatedObject):
    """One instance as expressions see it, and what a plan's Resource is made from."""

    __slots__ = ("_names", "body", "key", "mode", "module", "name", "provider", "scope", "type", "values")

    def __init__(
        self,
        address: str,
        declared: tuple[str, str, str],
        *,
        body: SourceBody,
        scope: Scope,
        module: DeclaringModule,
        key: int | str | None,
    ) -> None:
        super().__init__(address)
        self.mode, self.type, self.name = declared
        self.body = body
        self.scope = scope
        self.module = module
        self.key = key
        self.provider: Provider = module.provider_of(body, self.type, scope)
        self.values: Mapping[str, Value] = UnreadValues(address, body.error) if body.error else InstanceValues(self)
        self._names: dict[str, None] | None = None

    @property
    def _answered(self) -> AbstractSet[str]:
        """The attributes of a data source that the contract says."""
        return self.module.evaluation.known.attributes(self.address, self.type, self.name)

    def names(self) -> dict[str, None]:
        """Return the names of what is configured, in order, and of what the contract says of a data source."""
        if self._names is None:
            names = dict.fromkeys(self.body.arguments())
            labels = (block_name(block) for block, _ in self.body.blocks)
            names |= dict.fromkeys(label for label in labels if label not in _NO_BLOCKS)
            if self.mode == "managed" and ("tags" in names or has_tags(self.type)):
                names["tags_all"] = None
            if self.mode == "data":
                names |= dict.fromkeys((*_DERIVATIONS.get(self.type, ()), *sorted(self._answered)))
            self._names = names
        return self._names

    def attribute(self, name: str) -> Value:
        """Return `TYPE.NAME.name`: configured, else null if it stays unset, else Unknown."""
        value = self.values.get(name)
        if value is not None:
            return value
        if self.mode != "data":
            if is_computed(self.type, name) is False:
                return unset(self.type, name)
            self._begin(name)
            return Unknown(f"{self.address}.{name}")
        if self.type in OF_THE_PROVIDER:
            with suppress(KeyError):
                return self.module.evaluation.known.environment_answer(
                    self.type, name, self.provider.region, self.provider.account
                )
        if self.type == "terraform_remote_state" and name == "outputs" and (found := self._of_local_state()):
            return found
        return Unknown(f"{self.address}.{name}", data_cause(self.address, self.type, name))

    def _of_local_state(self) -> dict[str, Value] | None:
        """Return the outputs of another stack, if its state is a file of the repository.

        Source: Terraform Language Documentation, "The terraform_remote_state Data Source" and "Backend Type: local".
        """
        config, workspace = self.values.get("config"), self.values.get("workspace", "default")
        if self.values.get("backend") != "local" or not isinstance(config, dict) or not is_known([config, workspace]):
            return None
        path = config.get("path") or "terraform.tfstate"
        if workspace != "default":
            path = f"{config.get('workspace_dir') or 'terraform.tfstate.d'}/{workspace}/terraform.tfstate"
        try:
            state = json.loads(read_regular(self.module.evaluation.files.resolve(path)))
            outputs = {name: (each["value"], each.get("sensitive")) for name, each in state["outputs"].items()}
        except (TerraformError, OSError, ValueError, KeyError, AttributeError, TypeError):
            return None
        at = f"{self.address}.outputs"
        given = {name: Sensitive(f"{at}.{name}", one) if hidden else one for name, (one, hidden) in outputs.items()}
        defaults = self.values.get("defaults")
        return {**defaults, **given} if isinstance(defaults, dict) else given

    def _begin(self, name: str) -> None:
        """Note what an attribute that AWS assigns is known to begin with."""
        known = resource_type(self.type).assigned
        template = known.get("arn", "") if known.get(name) == "{arn}" else known.get(name, "")
        if isinstance(self.provider.region, str):
            template = template.replace("{partition}", self.module.evaluation.known.partition_of(self.provider.region))
        if beginning := template.partition("{")[0]:
            self.module.evaluation.files.beginnings[f"{self.address}.{name}"] = beginning

    def evaluate(self, name: str) -> Value:
        """Evaluate a configured attribute or the nested blocks of a type; masked if it is sensitive by its type.

        What the contract says of a data source goes before what is configured.
        """
        if self.mode == "data" and name in self._answered:
            answer = self.module.evaluation.known.answer(self.address, self.type, self.name, name)
            return mark_attribute(self.type, self.address, name, answer)
        if name == "tags_all":
            return tags_all(self.provider.default_tags, self.values.get("tags"))
        if self.mode == "data" and (derive := _DERIVATIONS.get(self.type, {}).get(name)):
            return self._located(name, lambda: derive(self))
        value = self._located(name, lambda: self._configured(name))
        return mark_attribute(self.type, self.address, name, value)

    def _configured(self, name: str) -> Value:
        if name in self.body.attributes:
            value = self.body.compiled(name)(self.scope)
        else:
            value = self._blocks(self.body, name, self.scope, frozenset(), self.address)
            # of a policy document everything is known that the provider does
            is_whole = self.type == _POLICY_DOCUMENT and self.mode == "data"
            if not value and not is_whole and is_computed(self.type, name, self.mode) is not False:
                cause = data_cause(self.address, self.type, name) if self.mode == "data" else None
                return Unknown(f"{self.address}.{name}", cause)
        return conform(self.type, name, value, self.mode)

    def _located(self, name: str, compute: Callable[[], Value]) -> Value:
        key = f"{self.address}.{name}"
        try:
            return self.module.remember(key, compute, lambda: self.body.place(name), keep=False)
        except TerraformError as error:
            place_error(error, self.body.place(name), key)
            if isinstance(error, LimitError) and not isinstance(error, DivisionByZeroError):
                return self.scope.beyond(error)
            return self.module.evaluation.refused(key, error)

    def _blocks(self, body: SourceBody, type_: str, scope: Scope, bound: frozenset[str], parent: str) -> list[Value]:
        """Return the nested blocks of a type; `parent` is the address of what they stand in."""
        result: list[Value] = []
        for position, (block, _) in enumerate(body.blocks):
            if block.type == type_:
                result.append(self._block(body.inner(position), scope, bound, f"{parent}.{type_}[{len(result)}]"))
            elif block.type == "dynamic" and block.labels == (type_,):
                for index, values in enumerate(self._dynamic(body.inner(position), type_, scope, bound), len(result)):
                    result.append(values(f"{parent}.{type_}[{index}]"))
        return result

    def _block(self, body: SourceBody, scope: Scope, bound: frozenset[str], address: str) -> BlockValue:
        values = {name: body.compiled(name, bound)(scope) for name in body.attributes}
        for block, _ in body.blocks:
            label = block_name(block)
            if label not in values:
                values[label] = self._blocks(body, label, scope, bound, address)
        return BlockValue(values, address)

    def _dynamic(
        self, body: SourceBody, type_: str, scope: Scope, bound: frozenset[str]
    ) -> Iterator[Callable[[str], Value]]:
        """Yield what makes each block that a dynamic block stands for, given its address."""
        if "for_each" not in body.attributes:
            raise EvaluationError(
                f'the dynamic block "{type_}" has no for_each', expected="for_each = a list, set or map"
            )
        iterator = type_
        if "iterator" in body.attributes:
            iterator = getattr(body.attributes["iterator"][0].expression, "name", type_)
        contents = [inner for _, inner in body.nested("content")]
        if len(contents) != 1:
            raise EvaluationError(f'the dynamic block "{type_}" has {len(contents)} content blocks', expected="one")
        each = body.compiled("for_each", bound)(scope)
        if isinstance(each, Unknown) and not isinstance(each, Sensitive):
            unknown = named(f"{self.address}.{type_}[for_each = {operand(each)}]", each)
            yield lambda _address: unknown
            return
        if each is None or isinstance(each, (str, int, float)):
            raise EvaluationError(
                f'for_each of the dynamic block "{type_}" is no collection', expected="a list, set or map"
            )
        pairs = iterate(each)
        self.module.evaluation.count(len(pairs), f"{self.address}.{type_}", body.place("for_each"))
        for key, value in pairs:
            inner = scope.bind(**{iterator: {"key": key, "value": value}})
            yield partial(self._block, contents[0], inner, bound | {iterator})
