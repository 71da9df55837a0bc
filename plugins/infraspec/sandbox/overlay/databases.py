"""RDS: no maintenance is ever pending in the sandbox, where moto does not know of any."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.rds.responses import RDSResponse


def install() -> None:
    """Answer what moto does not."""
    RDSResponse.describe_pending_maintenance_actions = _none_pending


def _none_pending(_response: Any) -> Any:
    return ActionResult({"PendingMaintenanceActions": []})
