"""The AWS account, region and partition that a plan or state shows.

They are taken from what `data.aws_caller_identity`, `data.aws_region` and `data.aws_partition` returned, from the
provider blocks, and else from the ARNs of the managed resources, if all that are looked at agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec
from msgspec import Struct, field

from infraspec.arn import Arn
from infraspec.terraform.plan import Resource
from infraspec.terraform.plan_json_providers import AWS, is_aws, is_region, unknown_region
from infraspec.terraform.plan_json_records import ABSENT
from infraspec.unknown import Value

_ACCOUNT = re.compile(r"\d{12}")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_LOOKED_AT = 200


class Evidence(Struct):
    """What one file shows: managed resources' values by provider configuration, and what data sources returned.

    `certain` says that the provider configuration of each resource is known; a state as `terraform show -json`
    prints it does not tell, so there everything has to agree. `regions` are those of the provider blocks.
    """

    resources: Iterable[Resource]
    values: Mapping[str, Iterable[msgspec.Raw]]
    certain: bool = True
    regions: Mapping[str, Value] = field(default_factory=dict)

    def settings(self) -> dict[str, Value]:
        """Return the fields of a Plan that are known: account, region, partition and regions.

        The default provider is in regions only if its region is known: what a caller knows of it stands otherwise.
        """
        arns = {provider: list(self._arns(provider)) for provider in self.values if is_aws(provider)}
        regions = self._regions(arns)
        own = arns.get(AWS, [])
        account = self._agreed(_accounts(self._returned("aws_caller_identity", "account_id")), _accounts_of(own))
        partition = self._agreed(self._returned("aws_partition", "partition"), {arn.partition for arn in own})
        region = regions.get(AWS)
        known = {"account": account, "partition": partition or _partition_of(region), "regions": regions}
        if is_region(region):
            known["region"] = region
        return {name: value for name, value in known.items() if value is not None}

    def _regions(self, arns: Mapping[str, list[Arn]]) -> dict[str, Value]:
        found = {}
        for provider in dict.fromkeys([*self.regions, *arns]):
            returned = self._returned("aws_region", "region", "name", provider=provider)
            told = _regions(returned) or _regions([self.regions.get(provider)])
            shown = _regions(arn.region for arn in arns.get(provider, ()))
            region = self._agreed(told, shown)
            if region is not None or provider != AWS:
                found[provider] = region or unknown_region(provider)
        return found

    def _agreed(self, told: set[str], shown: set[str]) -> str | None:
        """Return the one value that is told, else the one that ARNs show; None if there are several."""
        candidates = (told or shown) if self.certain else told | shown
        return next(iter(candidates)) if len(candidates) == 1 else None

    def _returned(self, type_: str, *attributes: str, provider: str = AWS) -> set[str]:
        """Return what the data sources of a type and provider returned, in the first attribute that is known."""
        found: set[str] = set()
        for resource in self.resources:
            if resource.mode == "data" and resource.type == type_ and resource.provider == provider:
                known = (value for value in map(resource.get, attributes) if isinstance(value, str) and value)
                found.update(islice(known, 1))
        return found

    def _arns(self, provider: str) -> Iterator[Arn]:
        """Yield the ARNs of a provider's resources: enough to notice a disagreement, few enough to cost nothing."""
        found = _own_arns(self.values[provider])
        return islice(found, _LOOKED_AT) if self.certain else found


class _OwnArn(msgspec.Struct):
    arn: msgspec.Raw = ABSENT


def _own_arns(values: Iterable[msgspec.Raw]) -> Iterator[Arn]:
    """Yield the `arn` of resources, leaving their other values alone."""
    for raw in values:
        try:
            text = msgspec.json.decode(msgspec.json.decode(raw, type=_OwnArn).arn, type=str)
            arn = Arn.parse(text)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            continue
        yield arn


def _regions(values: Iterable[Value]) -> set[str]:
    return {value for value in values if is_region(value)}


def _accounts(values: set[str]) -> set[str]:
    return {value for value in values if _ACCOUNT.fullmatch(value)}


def _accounts_of(arns: Iterable[Arn]) -> set[str]:
    return _accounts({arn.account for arn in arns})


def _partition_of(region: Value) -> str | None:
    if not isinstance(region, str):
        return None
    return next((partition for prefix, partition in _PARTITIONS.items() if region.startswith(prefix)), None)
