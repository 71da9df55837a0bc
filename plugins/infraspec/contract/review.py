"""The contract's table `[plan_review]`: which changes of a plan need an approval."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import Field

from infraspec.contract.kinds import NonEmpty
from infraspec.contract.table import Table

Risk: TypeAlias = Literal[
    "stateful-destroy", "secret-deletion", "iam-widening", "iam-broad", "iam-new", "public-exposure", "open-ingress"
]
"""The kinds of risk that a change of a plan can be; docs/plan-review.md says what each is."""

RISKS: tuple[Risk, ...] = get_args(Risk)
_NOTICES = ("iam-new",)
Port: TypeAlias = Annotated[int, Field(ge=0, le=65535)]


class PlanReview(Table):
    """`[plan_review]`: what a plan may not do without an approval."""

    critical: list[Risk] = Field(
        default_factory=lambda: [risk for risk in RISKS if risk not in _NOTICES],
        description="Kinds of risk that fail until somebody approves them; the others are only reported.",
        examples=[["stateful-destroy", "public-exposure"]],
    )
    stateful_types: list[NonEmpty] = Field(
        default_factory=list,
        description="Further resource types whose destruction loses data.",
        examples=[["aws_instance"]],
    )
    disposable: list[NonEmpty] = Field(
        default_factory=list,
        description="Resource types or address patterns that may be destroyed at any time.",
        examples=[["aws_cloudwatch_log_group", "module.preview.*"]],
    )
    public_ports: list[Port] = Field(
        default_factory=list, description="Ports that security groups may open to everyone.", examples=[[443]]
    )
    approvals: dict[NonEmpty, Annotated[list[Risk], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="By label of the pull request, the kinds of risk that it approves.",
        examples=[{"approve/destroy": ["stateful-destroy", "secret-deletion"]}],
    )
