"""The contract's tables about the layout: `[state]`, `[versions]`, `[consistency]`, `[modules]`, `[drift]`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from infraspec.contract.kinds import NonEmpty
from infraspec.contract.table import Table


class State(Table):
    """`[state]`: where Terraform keeps its state."""

    backend: NonEmpty = Field("s3", description="The type of backend that every root module has.", examples=["s3"])
    managed: bool = Field(
        default=True, description="Whether the bucket and the lock table are resources of the environment itself."
    )


class Versions(Table):
    """`[versions]`: versions are pinned, and the lock file has them."""

    modules: Literal["exact", "bounded"] = Field(
        "exact", description="How registry modules are pinned: to one version, or below the next major one."
    )
    hashes: bool = Field(default=True, description="Whether the lock file has to have checksums of every provider.")


class Consistency(Table):
    """`[consistency]`: the environments are made of the same modules and resources."""

    reference: NonEmpty | None = Field(
        None, description="The environment that the others are compared with; by default the first.", examples=["prod"]
    )
    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of what environments may have or lack.",
        examples=[["module.rds.aws_db_instance.replica*"]],
    )


class Modules(Table):
    """`[modules]`: root modules call modules and declare no resource of their own."""

    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of resources that a root module may declare.",
        examples=[["aws_route53_record.*"]],
    )


class Drift(Table):
    """`[drift]`: a plan of what is deployed changes nothing."""

    environments: list[NonEmpty] = Field(
        default_factory=list,
        description="Environments whose plan always has to be empty; the others when a run asks for it.",
        examples=[["prod"]],
    )
    ignore: list[NonEmpty] = Field(
        default_factory=list,
        description="Address patterns of what may differ.",
        examples=[["aws_autoscaling_group.*"]],
    )
