"""`[inventory]`: what may be in AWS although no source makes it."""

from __future__ import annotations

from pydantic import Field

from infraspec.contract.kinds import NonEmpty
from infraspec.contract.table import Table


class Inventory(Table):
    """`[inventory]`: what may be in AWS although no source makes it."""

    allow: list[NonEmpty] = Field(
        default_factory=list,
        description="ARNs, * for any text, of resources that somebody else makes.",
        examples=[["arn:aws:cloudwatch:*:*:alarm:shop-prod-by-hand-*"]],
    )
