"""The contract's table `[rollout]`: when a deployment counts as done."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from infraspec.contract.table import Table

_HALF_A_DAY = 43200


class Rollout(Table):
    """`[rollout]`: when a deployment counts as done."""

    wait: Annotated[int, Field(ge=0, le=_HALF_A_DAY)] = Field(
        600, description="Seconds to wait for a deployment that is under way; none in the sandbox.", examples=[900]
    )
    newest: bool = Field(
        False,  # noqa: FBT003 - pydantic's default
        description="A service whose task_definition Terraform ignores has to run the newest revision of its family.",
    )
