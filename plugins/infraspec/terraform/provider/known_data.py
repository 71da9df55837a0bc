"""What data sources would return, as far as the contract, the provider configuration or the caller says.

Keys are `TYPE.ATTRIBUTE` (any data source of the type), `TYPE.NAME.ATTRIBUTE` or a whole address with attribute; a
leading `data.` may be left out: `aws_availability_zones.names`, `aws_vpc.main.id`,
`module.network.data.aws_subnets.private.ids`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct, field

from infraspec.contract.models import partition_of
from infraspec.core.errors import closest
from infraspec.core.unknown import Unknown, UnstatedAccount, UnstatedRegion, Value
from infraspec.terraform.provider.schema import schema

_INSTANCE_KEY = re.compile(r"\[[^\]]*\]")
OF_THE_PROVIDER = frozenset({"aws_caller_identity", "aws_region", "aws_partition"})
"""Data sources that answer from the region and account of their provider configuration."""

_OF_TERRAGRUNT = ("dependency.", "terragrunt.")
"""How the keys begin that files of Terragrunt ask for."""
_OF_THE_ENVIRONMENT = frozenset(
    {"aws_caller_identity.account_id", "aws_region.name", "aws_region.region", "aws_partition.partition"}
)
_OF_WHAT_IS_ELSEWHERE = frozenset(
    {"aws_ssm_parameter.key_id", "aws_ssm_parameter.type", "aws_secretsmanager_secret.kms_key_id"}
)
"""Which key encrypts what is not in the source, whether a data source reads it or not, and has the attribute or not."""
_DNS_SUFFIXES = {
    "aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu",
}  # fmt: skip
"""By partition; the ISO partitions are left out, their suffixes are not known for certain."""


def data_source_key(address: str) -> str:
    """Return what a key names the data source of an address by: `aws_vpc.main`, whatever instance it is."""
    return _INSTANCE_KEY.sub("", address).removeprefix("data.")


class KnownData(Struct, frozen=True):
    """Answers for data sources. `values` are the caller's; account, region and partition those of the environment.

    `shared` are the keys of values that are not for this root alone, which need not answer anything in it.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    shared: AbstractSet[str] = frozenset()
    account: str | None = None
    region: str | None = None
    partition: str | None = None

    @classmethod
    def of(
        cls,
        values: Mapping[str, Value],
        *,
        account: str | None = None,
        region: str | None = None,
        partition: str | None = None,
        shared: Iterable[str] = (),
    ) -> KnownData:
        """Take keys with or without `data.`, and the account and region they may hold."""
        plain = {key.removeprefix("data."): value for key, value in values.items()}
        given_account = plain.get("aws_caller_identity.account_id")
        given_region = plain.get("aws_region.region", plain.get("aws_region.name"))
        return cls(
            plain,
            shared={key.removeprefix("data.") for key in shared},
            account=account or (str(given_account) if given_account else None),
            region=region or (str(given_region) if given_region else None),
            partition=partition or plain.get("aws_partition.partition"),
        )

    def answer(self, address: str, type_: str, name: str, attribute: str) -> Value:
        """Return what the caller says of a data source's attribute; KeyError if nothing."""
        for prefix in _prefixes(address, type_, name):
            if f"{prefix}.{attribute}" in self.values:
                return self.values[f"{prefix}.{attribute}"]
        raise KeyError(attribute)

    def attributes(self, address: str, type_: str, name: str) -> AbstractSet[str]:
        """Return the attributes of a data source that the caller says something of."""
        if not self.values:
            return frozenset()
        prefixes = set(_prefixes(address, type_, name))
        keys = (key.rpartition(".") for key in self.values)
        return {attribute for prefix, _, attribute in keys if prefix in prefixes}

    def unmatched(self, sources: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str | None]]:
        """Yield the keys that answer for none of the data sources (address, type, name), and one like it that would.

        An attribute that the type does not have is no match. The keys that tell account, region and partition always
        answer, and those that tell the key of what is elsewhere.
        """
        types = {prefix: type_ for address, type_, name in sources for prefix in _prefixes(address, type_, name)}
        for key in sorted(self.values.keys() - self.shared - _OF_THE_ENVIRONMENT - _OF_WHAT_IS_ELSEWHERE):
            prefix, _, attribute = key.rpartition(".")
            if key.startswith(_OF_TERRAGRUNT):
                continue
            if prefix not in types:
                close = closest(prefix, list(types))
                yield key, close and f"{close}.{attribute}"
            elif f"{types[prefix]}.{attribute}" in _OF_WHAT_IS_ELSEWHERE:
                continue
            elif (known := schema(types[prefix], "data")) and not known.code(attribute):
                close = closest(attribute, known.names())
                yield key, close and f"{prefix}.{close}"

    def environment_answer(self, type_: str, attribute: str, region: Value, account: Value) -> Value:
        """Return what follows from the provider's region and account; KeyError if nothing does."""
        partition = self.partition_of(region)
        suffix = dns_suffix(partition)
        answers = {
            "aws_caller_identity": {"account_id": account, "id": account},
            "aws_region": {"name": region, "region": region, "id": region},
            "aws_partition": {"partition": partition, "id": partition, **({"dns_suffix": suffix} if suffix else {})},
        }
        return answers[type_][attribute]

    def partition_of(self, region: Value) -> str:
        """Return the partition: given, else that of the region, else `aws`."""
        return self.partition or (partition_of(region) if isinstance(region, str) else "aws")


def _prefixes(address: str, type_: str, name: str) -> Iterator[str]:
    """Yield what a key may have before the attribute of a data source, the most specific first."""
    plain = _INSTANCE_KEY.sub("", address)
    for key in (address, plain, address.replace("data.", "", 1), plain.replace("data.", "", 1)):
        yield key.removeprefix("data.")
    yield f"{type_}.{name}"
    yield type_


def dns_suffix(partition: Value) -> str:
    """Return what the domain names of a partition end in, "" if that is not known."""
    return _DNS_SUFFIXES.get(partition, "") if isinstance(partition, str) else ""


def region_unknown(provider: str) -> Unknown:
    """Return the region of a provider configuration that does not say it."""
    named = "aws_region.region" if provider == "aws" else f"aws_region.region ({provider})"
    return Unknown(named, UnstatedRegion(provider))


def account_unknown(provider: str) -> Unknown:
    """Return the account of a provider configuration that nobody knows."""
    named = "aws_caller_identity.account_id"
    return Unknown(named if provider == "aws" else f"{named} ({provider})", UnstatedAccount(provider))
