"""The customer managed KMS key that a secret or parameter is encrypted with, so far as anything tells.

What is encrypted with the key that AWS manages (`aws/secretsmanager`, `aws/ssm`) asks for no permission on a key: AWS
Key Management Service Developer Guide, "AWS managed keys". Such a key cannot be used from another account, so a secret
that is read from another account is under a customer managed key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from infraspec.checks.owners import Owners
from infraspec.checks.unknown_remedies import how_to_know, remedy
from infraspec.ecs.requirement import Doubt, Key
from infraspec.terraform.aws_attributes import MASTER_USER_ARN
from infraspec.terraform.known_data import KnownData, data_source_key
from infraspec.terraform.plan import Resource
from infraspec.unknown import AliasTarget, EncryptionKey, Text, Unknown, Value, is_known, render, sources, unknowns

_SECRET, _PARAMETER = "aws_secretsmanager_secret", "aws_ssm_parameter"
_SECURE = "SecureString"
_TYPES = {"secretsmanager": _SECRET, "ssm": _PARAMETER}
_KEY_ATTRIBUTES = {_SECRET: "kms_key_id", _PARAMETER: "key_id"}
_ACCOUNT_FIELD = 4


@dataclass
class Keys:
    """The keys of a plan's secrets and parameters. `known` is what the contract says of data sources."""

    owners: Owners
    known: KnownData = field(default_factory=KnownData)
    _keys: dict[tuple[str, Value, bool], Key | None] = field(default_factory=dict)

    def of(self, service: str, target: Value, named: Value = None) -> Key | None:
        """Return the key of a secret (`secretsmanager`) or parameter (`ssm`), given by its ARN.

        None if it is under AWS's own key, or a parameter that is not encrypted. What is `named` by text is another
        one than that of the plan where the plan makes none.
        """
        asked = service, target, isinstance(named, str)
        if asked not in self._keys:
            self._keys[asked] = self._find(target, _TYPES[service], by_text=asked[2])
        return self._keys[asked]

    def arn(self, key: Value, resource: Resource | None) -> Value:
        """Follow a key's id, ARN or alias to the key's ARN; None if the key is AWS's own.

        An id is that of a key in the account and region of `resource`, or of the plan.
        """
        if not key:
            return None
        found = self.owners.plan.find(key) if isinstance(key, Unknown) else None
        if found is not None and found[0].type == "aws_kms_key":
            return found[0].reference("arn")
        alias = found[0] if found is not None and found[0].type == "aws_kms_alias" else self._alias(key)
        if alias is not None and alias.mode == "managed":
            return self.arn(alias.attribute("target_key_id"), resource)
        text = render(key)
        if "alias/aws/" in text:
            return None
        if "alias/" in text:
            return self._key_arn(Unknown(f"the key behind {text}", AliasTarget(text)), resource)
        is_id = isinstance(key, str) and not key.startswith("arn:")
        return self._key_arn(key, resource) if is_id else key

    def _key_arn(self, key: Value, resource: Resource | None) -> Value:
        attributes, plan = self.owners.attributes, self.owners.plan
        if resource is not None:
            return attributes.arn(resource, "kms", "key/", key)
        return attributes.join("arn:", plan.partition, ":kms:", plan.region, ":", plan.account, ":key/", key)

    def _find(self, target: Value, type_: str, *, by_text: bool) -> Key | None:
        database = self._database(target)
        if database is not None:
            return self._configured(database.get("master_user_secret_kms_key_id"), database)
        resource = self.owners.find(target)
        if resource is None or resource.type != type_:
            return self._elsewhere(target, type_, None)
        if resource.mode == "data":
            return self._elsewhere(target, type_, resource)
        if by_text and (absent := self.owners.plan.doubt_of(resource)):
            reason = f"{absent}; it is not known which KMS key encrypts {render(target)} without an instance"
            return Key(self._hidden(target, _encryption(None, type_)), Doubt(reason, None, how_to_know(absent.value)))
        if resource.type == _SECRET:
            return self._configured(resource.get("kms_key_id"), resource)
        kind = resource.get("type")
        if isinstance(kind, str) and kind != _SECURE:
            return None
        key = self._configured(resource.get("key_id"), resource)
        doubt = Doubt.of(next(unknowns(kind), None))
        return Key(key.arn, doubt) if key is not None and doubt is not None else key

    def _configured(self, key: Value, resource: Resource) -> Key | None:
        """Return the key that a resource is configured with; an unknown value may turn out to be null."""
        if isinstance(key, Unknown) and key.address.startswith(f"{resource.address}."):
            return None  # computed by AWS: nothing is configured
        arn = self.arn(key, resource)
        if arn is None:
            return None
        certain = not isinstance(arn, Unknown) or self.owners.plan.find(arn) is not None
        return Key(arn, None if certain else Doubt.of(arn))

    def _elsewhere(self, target: Value, type_: str, source: Resource | None) -> Key | None:
        """Return the key of what is not in the plan; `source` is the data source that reads it, if there is one."""
        text = render(target)
        if type_ == _PARAMETER and self._said(source, type_, "type") not in (None, _SECURE):
            return None
        key = self._said(source, type_, _KEY_ATTRIBUTES[type_])
        if key is not None:
            arn = self.arn(key, source)
            return None if arn is None else Key(arn)
        unread = _encryption(source, type_)
        hidden = self._hidden(target, unread)
        if self._is_of_other_account(text):
            return Key(hidden)
        return Key(hidden, Doubt(f"it is not known which KMS key encrypts {text}", None, remedy(unread)))

    def _hidden(self, target: Value, cause: EncryptionKey) -> Value:
        key = Unknown(f"the KMS key of {render(target)}", cause)
        return self.owners.attributes.join("arn:", self.owners.plan.partition, ":kms:", key)

    def _said(self, source: Resource | None, type_: str, attribute: str) -> Value:
        """Return what a data source or the contract says of an attribute; None if nothing."""
        if source is not None:
            value = source.get(attribute)
            if is_known(value) and value is not None:
                return value
            try:
                return self.known.answer(source.address, type_, source.name, attribute)
            except KeyError:
                return None
        return self.known.values.get(f"{type_}.{attribute}")

    def _database(self, target: Value) -> Resource | None:
        """Return the database whose master password a secret holds: RDS made the secret."""
        for part in target.parts if isinstance(target, Text) else ():
            for source in sources(part) if isinstance(part, Unknown) else ():
                found = self.owners.plan.find(source)
                if found is not None and found[1] == MASTER_USER_ARN:
                    return found[0]
        return None

    def _is_of_other_account(self, arn: str) -> bool:
        fields, own = arn.split(":"), self.owners.plan.account
        account = fields[_ACCOUNT_FIELD] if len(fields) > _ACCOUNT_FIELD else ""
        return account.isdigit() and isinstance(own, str) and account != own

    def _alias(self, key: Value) -> Resource | None:
        return self._aliases.get(key[key.index("alias/") :]) if isinstance(key, str) and "alias/" in key else None

    @cached_property
    def _aliases(self) -> dict[Value, Resource]:
        aliases = self.owners.plan.managed("aws_kms_alias")
        certain = filter(self.owners.plan.is_certain, aliases)  # without it, the name may be that of another key
        return {self.owners.attributes.name(alias): alias for alias in certain}


def _encryption(source: Resource | None, type_: str) -> EncryptionKey:
    named = data_source_key(source.address) if source is not None else type_
    return EncryptionKey(named, _KEY_ATTRIBUTES[type_])
