"""The base of the contract's tables.

Values are of their type and not made so: `run_commands = "no"` and `wait = true` are errors, as in the JSON Schema.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of the contract: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
