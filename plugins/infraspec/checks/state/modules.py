"""Rule `modules`: no resource lies in a root module, but for what the contract allows."""

from __future__ import annotations

from infraspec.contract.models import Contract
from infraspec.contract.static import Modules
from infraspec.conventions.effective_tags import Exemptions
from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Plan

RULE = RULES["modules"]


def check_modules(plan: Plan, contract: Contract) -> list[Finding]:
    """Judge each managed resource: it lies in a module, or the contract lets it lie in the root."""
    allowed = Exemptions.of((contract.modules or Modules()).allow)
    return [
        RULE.about(resource).say("in-the-root", address=resource.address, type=resource.type, name=resource.name)
        if not resource.module and not allowed.covers(resource.type, resource.address)
        else RULE.about(resource).proven()
        for resource in plan.managed()
    ]
