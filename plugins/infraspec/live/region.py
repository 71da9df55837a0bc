"""Whether the region that a run asks is the one that the application is in.

An account of an application that asks another region finds nothing, and all that the source has would be missing.
Source: Amazon ECS Developer Guide, "Amazon ECS clusters": a cluster is of one region.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from infraspec.aws.calls import Calls
from infraspec.core.errors import ContractError, InfraspecError
from infraspec.live.resources.source_index import SourceIndex
from infraspec.resource_types.listing import Batch
from infraspec.terraform.plan import Plan

_CLUSTERS = Batch("DescribeClusters", "clusters", "clusters", 100)


def refuse_wrong_region(calls: Calls, plan: Plan, environment: str, regions: Iterable[str], place: str) -> None:
    """Raise ContractError if none of the clusters of a source is in the region, and all are in another one.

    `regions` are those to look in. Where nothing can be asked, or nothing is deployed yet, nothing is said.
    """
    wanted = {identity[-1] for identity in SourceIndex(plan, calls.account, calls.region).names("aws_ecs_cluster")}
    if not wanted or _there(calls, wanted, calls.region) != set():
        return
    for region in regions:
        if region != calls.region and _there(calls, wanted, region) == wanted:
            raise ContractError(
                f"the application of `{environment}` is in another region",
                place=f"{place}.region",
                expected=f"the clusters {', '.join(sorted(wanted))} in {calls.region}",
                found=f"none of them there, and all of them in {region}",
                remedy=f'[environments.{environment}]\nregion = "{region}"',
            )


def _there(calls: Calls, names: Collection[str], region: str) -> set[str] | None:
    """Return the names of the clusters that a region has; None if it may not be asked, or does not answer."""
    try:
        found = calls.batches("ecs", _CLUSTERS, sorted(names), region=region)
    except InfraspecError:
        return None
    return {one["clusterName"] for one in found if one.get("status", "ACTIVE") == "ACTIVE"}
