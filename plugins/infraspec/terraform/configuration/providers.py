"""Provider configurations: region, account, default tags, by alias.

Source: Terraform Language Documentation, "Provider Configuration", and the AWS provider's "default_tags" and
"assume_role" configuration blocks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from infraspec.core.errors import CycleError, EvaluationError, TerraformError, UndeclaredError, closest
from infraspec.core.finding import Location
from infraspec.core.unknown import MissingVariable, Text, Unknown, Value, Withheld, computed_from, concatenate, is_known
from infraspec.hcl.ast import Expression, GetAttr, Index, Literal, Name, Object, SourceText, Tuple
from infraspec.terraform.configuration.declarations import SourceBody, block_name
from infraspec.terraform.configuration.evaluation import Evaluation, place_error, placed
from infraspec.terraform.language.conversions import iterate
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.partial_values import named, operand
from infraspec.terraform.language.scope import Scope
from infraspec.terraform.language.types import CollectionType, PrimitiveType
from infraspec.terraform.provider.known_data import KnownData, account_unknown, region_unknown

_TAGS = CollectionType("map", PrimitiveType("string"))
_CREDENTIALS = (
    "profile", "access_key", "secret_key", "shared_config_files", "shared_credentials_files", "allowed_account_ids",
)  # fmt: skip
_ASSUMED = ("assume_role", "assume_role_with_web_identity")
_ARN_OF_ACCOUNT = re.compile(r"arn:[^:]*:iam::(\d{12}):")


@dataclass(eq=False)
class Provider:
    """One provider configuration. `key` is its name in the module that configures it: `aws`, `aws.virginia`.

    `body` is None for a provider that is used without being configured; `main` is the configuration without an alias,
    or that of the calling module. Values are evaluated on first use.
    """

    key: str
    evaluation: Evaluation
    body: SourceBody | None = None
    scope: Scope | None = None
    main: Provider | None = None
    refused: Unknown | None = None
    """What stands for all that is not known of a configuration that nobody has made."""
    _asked: bool = False

    @property
    def known(self) -> KnownData:
        """What the environment says."""
        return self.evaluation.known

    @property
    def location(self) -> Location | None:
        """Where it is configured."""
        return self.body.location if self.body else None

    @cached_property
    def region(self) -> Value:
        """The region: configured, else that of the environment; an empty text counts as none, as for the provider.

        A variable without a value is the environment's region, but for an alias: that is there to be in another one.
        """
        configured = self.refused or self._evaluate(self.body, "region")
        of_variable = isinstance(configured, Unknown) and isinstance(configured.cause, MissingVariable | Withheld)
        if configured in (None, "") or (of_variable and "." not in self.key.rpartition(":")[2]):
            return self.known.region or configured or region_unknown(self.key)
        return configured

    @cached_property
    def account(self) -> Value:
        """The account: that of the environment for the main configuration, else by the credentials.

        An alias has the main account if it uses the same credentials; else that of the role it assumes, or the only one
        that it allows.
        """
        if self.refused:
            return self.refused
        if self._asked:  # the credentials of one are what another reads
            return account_unknown(self.key)
        self._asked = True
        if self.main is None:
            return self.known.account or self._stated_account() or account_unknown("aws")
        if self._credentials() == self.main._credentials():  # noqa: SLF001 - of another of the same class
            return self.main.account
        return self._stated_account() or account_unknown(self.key)

    @cached_property
    def default_tags(self) -> Value:
        """The default tags: a map, empty if there are none, or Unknown."""
        tags = self.refused or self._nested("default_tags", "tags")
        if tags is None:
            return {}
        try:
            return _TAGS.convert(tags)
        except EvaluationError as error:
            place_error(error, str(self.location), f"default_tags of provider {self.key}")
            return self.evaluation.refused(f"default_tags of provider {self.key}", error)

    @property
    def ignored_tags(self) -> tuple[Value, ...]:
        """The keys of tags that the provider leaves alone, a prefix with * at its end; unknown entries among them."""
        keys, prefixes = (self._nested("ignore_tags", name) or () for name in ("keys", "key_prefixes"))
        if isinstance(keys, Unknown) or isinstance(prefixes, Unknown):
            return ("*",)
        return (*keys, *(concatenate([prefix, "*"]) for prefix in prefixes))

    def _evaluate(self, body: SourceBody | None, name: str) -> Value:
        if body is None or self.scope is None or name not in body.attributes:
            return None
        of = f"provider {self.key}"
        try:
            with suppress(CycleError), self.evaluation.evaluating(of), placed(body, name, of):
                return body.compiled(name)(self.scope)
        except TerraformError as error:
            return self.evaluation.refused(f"{name} of {of}", error)
        return region_unknown(self.key) if name == "region" else account_unknown(self.key)

    def _nested(self, type_: str, name: str) -> Value:
        """Return an argument of the last nested block of a type, a dynamic one too; of several roles that is assumed.

        None if there is no such block, an unknown if that is not known.
        """
        value: Value = None
        if self.body is None or self.scope is None:
            return None
        for position, (block, _) in enumerate(self.body.blocks):
            inner = self.body.inner(position)
            if block.type == type_:
                value = self._evaluate(inner, name)
            elif block_name(block) == type_:
                value = self._dynamic(inner, type_, name, self.scope, value)
        return value

    def _dynamic(self, body: SourceBody, type_: str, name: str, scope: Scope, value: Value) -> Value:
        """Return the argument of the last block that a dynamic one stands for, or what it was before."""
        many = self._evaluate(body, "for_each")
        if isinstance(many, Unknown | Text):
            return named(f"{type_}.{name} of provider {self.key}", many)
        stated = body.attributes.get("iterator")
        iterator = getattr(stated[0].expression, "name", type_) if stated else type_
        for key, item in iterate(many or []):
            for _, content in body.nested("content"):
                inner = scope.bind(**{iterator: {"key": key, "value": item}})
                value = content.compiled(name, frozenset({iterator}))(inner) if name in content.attributes else None
        return value

    @property
    def permitted_accounts(self) -> tuple[list[str], list[str]]:
        """The accounts that the provider may work in, and those that it may not, as far as both are known."""
        lists = (self._evaluate(self.body, name) for name in ("allowed_account_ids", "forbidden_account_ids"))
        known = (one if isinstance(one, list) and all(type(item) is str for item in one) else [] for one in lists)
        allowed, forbidden = known
        return allowed, forbidden

    def _stated_account(self) -> Value:
        """Return the account that the configuration says, None if it does not."""
        role = self._nested("assume_role", "role_arn")
        if account := _account_of(role):
            return account
        allowed = self._evaluate(self.body, "allowed_account_ids")
        return allowed[0] if isinstance(allowed, list) and len(allowed) == 1 and isinstance(allowed[0], str) else None

    def _credentials(self) -> dict[str, Value]:
        """Return what decides as whom the provider asks AWS."""
        told = {name: self._evaluate(self.body, name) for name in _CREDENTIALS}
        assumed = {name: self._nested(name, "role_arn") for name in _ASSUMED}
        return {name: value for name, value in {**told, **assumed}.items() if value is not None}


def _account_of(role: Value) -> Value:
    """Return the account of a role's ARN, as far as it is known; None if it is not."""
    first = role.parts[0] if isinstance(role, Text) else role
    found = _ARN_OF_ACCOUNT.match(first) if isinstance(first, str) else None
    return found[1] if found else None


def tags_all(default_tags: Value, tags: Value) -> Value:
    """Merge a resource's tags over the default tags; None if there are none at all.

    `aws_autoscaling_group` has a list of tags and takes no default tags: it has no `tags_all`.
    """
    if isinstance(tags, list):
        return None
    if isinstance(default_tags, Unknown):
        return default_tags if not tags else Unknown(f"merge({default_tags.address}, …)", computed_from(default_tags))
    if isinstance(tags, Unknown):
        return tags if not default_tags else Unknown(f"merge(default_tags, {tags.address})", computed_from(tags))
    merged = {**default_tags, **(tags or {})}
    return {key: value for key, value in merged.items() if value is not None} or None


def local_name(type_: str) -> str:
    """Return the local name of the provider that a resource type belongs to by default."""
    return type_.split("_", 1)[0]


def provider_reference(body: SourceBody, scope: Scope) -> str | None:
    """Return the provider that a block names for an instance in a scope (`provider = aws.virginia`), or None."""
    if "provider" not in body.attributes:
        return None
    attribute, source = body.attributes["provider"]
    return address_of(attribute.expression, source, scope)


def passed_providers(body: SourceBody, scope: Scope) -> Mapping[str, str]:
    """Return the `providers = { aws = aws.virginia }` of an instance of a call as names in child and caller."""
    if "providers" not in body.attributes:
        return {}
    attribute, source = body.attributes["providers"]
    items = attribute.expression.items if isinstance(attribute.expression, Object) else ()
    return {address_of(name, source, scope): address_of(passed, source, scope) for name, passed in items}


def address_of(node: Expression, source: SourceText, scope: Scope) -> str:
    """Return the name of a provider configuration: `aws.by["x"]` of OpenTofu's for_each, `aws.by[var.x]` if unknown.

    Source: OpenTofu documentation, "Provider Configuration" (for_each: Multiple instances of a provider configuration).
    """
    match node:
        case Name(name=name) | Literal(value=str() as name):
            return name
        case Literal(value=None):  # the provider of this name
            return "null"
        case GetAttr(target=target, name=name):
            return f"{address_of(target, source, scope)}.{name}"
        case Index(target=target, key=key):
            value = compile_expression(key, source)(scope)
            index = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else operand(value)
            return f"{address_of(target, source, scope)}[{index}]"
        case _:
            raise TerraformError("this is no address", place=source.place(node.at), expected="aws.ALIAS, or TYPE.NAME")


def instance_of(body: SourceBody, scope: Scope, index: str, address: str) -> Scope:
    """Return the scope of one configuration of a provider with for_each; `index` is its key in quotes, or an unknown.

    Raises EvaluationError if there is none of the key.
    """
    known = index.startswith('"') or index.isdigit()
    key = str(json.loads(index)) if known else named(index or f"{address}.each.key")
    many = body.compiled("for_each")(scope)
    found = {item: item for item in many if isinstance(item, str)} if isinstance(many, list) else many
    if known and isinstance(found, dict) and key in found:
        return scope.bind(each={"key": key, "value": found[key]})
    if known and is_known(many):
        raise UndeclaredError(f"there is no provider configuration {address} here", place=body.place("for_each"))
    return scope.bind(each={"key": key, "value": named(f"{address}.each.value", many)})


def configuration_aliases(terraform: Iterable[SourceBody]) -> frozenset[str]:
    """Return the provider configurations that a module expects its caller to pass, by its `terraform` blocks."""
    required = (inner.attributes.values() for body in terraform for _, inner in body.nested("required_providers"))
    return frozenset(
        alias for attributes in required for attribute, _ in attributes for alias in _aliases(attribute.expression)
    )


def _aliases(requirement: Expression) -> Iterator[str]:
    for key, value in requirement.items if isinstance(requirement, Object) else ():
        if isinstance(key, Literal) and key.value == "configuration_aliases" and isinstance(value, Tuple):
            for item in value.items:
                match item:
                    case GetAttr(target=Name(name=provider), name=alias):
                        yield f"{provider}.{alias}"
                    case Literal(value=str() as text):
                        yield text


def missing_provider(key: str, configured: Iterable[str], place: str) -> UndeclaredError:
    """Return the error for a provider configuration that nobody has made."""
    configured = sorted(configured)
    close = closest(key, configured)
    name, _, alias = key.partition(".")
    return UndeclaredError(
        f"there is no provider configuration {key} here",
        place=place,
        expected=f"one of {', '.join(configured)}" if configured else "",
        remedy=f"provider = {close}" if close else f'provider "{name}" {{\n  alias = "{alias}"\n}}',
    )


def provider_not_passed(key: str, module: str, place: str) -> UndeclaredError:
    """Return the error for a module call without a provider configuration that the module expects."""
    return UndeclaredError(
        f"{module} is called without the provider configuration {key} that it expects",
        place=place,
        expected="an entry for every one of the module's configuration_aliases",
        remedy=f"providers = {{ {key} = {key.partition('.')[0]} }}",
    )
