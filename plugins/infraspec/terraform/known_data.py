"""What data sources would return, as far as the contract, the provider configuration or the caller says.

Keys are `TYPE.ATTRIBUTE` (any data source of the type), `TYPE.NAME.ATTRIBUTE` or a whole address with attribute; a
leading `data.` may be left out: `aws_availability_zones.names`, `aws_vpc.main.id`,
`module.network.data.aws_subnets.private.ids`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from infraspec.contract.models import partition_of
from infraspec.unknown import Unknown, Value

_INSTANCE_KEY = re.compile(r"\[[^\]]*\]")
_DNS_SUFFIXES = {"aws-cn": "amazonaws.com.cn", "aws-eusc": "amazonaws.eu"}
"""By partition; the ISO partitions are left out, their suffixes are not known for certain."""


@dataclass(frozen=True, slots=True)
class KnownData:
    """Answers for data sources. `values` are the caller's; account, region and partition those of the environment."""

    values: Mapping[str, Value] = field(default_factory=dict)
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
    ) -> KnownData:
        """Take keys with or without `data.`, and the account and region they may hold."""
        plain = {key.removeprefix("data."): value for key, value in values.items()}
        given_account = plain.get("aws_caller_identity.account_id")
        given_region = plain.get("aws_region.region", plain.get("aws_region.name"))
        return cls(
            plain,
            account=account or (str(given_account) if given_account else None),
            region=region or (str(given_region) if given_region else None),
            partition=partition or plain.get("aws_partition.partition"),
        )

    def answer(self, address: str, type_: str, name: str, attribute: str) -> Value:
        """Return what the caller says of a data source's attribute; KeyError if nothing."""
        plain = _INSTANCE_KEY.sub("", address)
        for key in (
            address,
            plain,
            address.replace("data.", "", 1),
            plain.replace("data.", "", 1),
            f"{type_}.{name}",
            type_,
        ):
            full = f"{key}.{attribute}".removeprefix("data.")
            if full in self.values:
                return self.values[full]
        raise KeyError(attribute)

    def environment_answer(self, type_: str, attribute: str, region: Value, account: Value) -> Value:
        """Return what follows from the provider's region and account; KeyError if nothing does."""
        partition = self.partition_of(region)
        answers = {
            "aws_caller_identity": {"account_id": account, "id": account},
            "aws_region": {"name": region, "region": region, "id": region},
            "aws_partition": {"partition": partition, "id": partition, **_dns_suffix(partition)},
        }
        return answers[type_][attribute]

    def partition_of(self, region: Value) -> str:
        """Return the partition: given, else that of the region, else `aws`."""
        return self.partition or (partition_of(region) if isinstance(region, str) else "aws")


def _dns_suffix(partition: str) -> dict[str, str]:
    suffix = _DNS_SUFFIXES.get(partition, "amazonaws.com" if partition in ("aws", "aws-us-gov") else "")
    return {"dns_suffix": suffix} if suffix else {}


def region_unknown(provider: str) -> Unknown:
    """Return the region of a provider configuration that does not say it."""
    return Unknown("aws_region.region" if provider == "aws" else f"aws_region.region ({provider})")


def account_unknown(provider: str) -> Unknown:
    """Return the account of a provider configuration that nobody knows."""
    return Unknown(
        "aws_caller_identity.account_id" if provider == "aws" else f"aws_caller_identity.account_id ({provider})"
    )
