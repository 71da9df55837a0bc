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
        RULE.about(resource).violated(
            expected="resources in modules, which every environment calls",
            found="a resource of the root module",
            reason="the other environments do not have it, or have a copy that goes its own way",
            remedy=f"moved {{\n  from = {resource.address}\n  to   = module.NAME.{resource.type}.{resource.name}\n}}",
        )
        if not resource.module and not allowed.covers(resource.type, resource.address)
        else RULE.about(resource).proven()
        for resource in plan.managed()
    ]
