"""Policy documents: their statements, patterns, conditions and principals."""

from infraspec.iam.policy.statements import IdentityPolicy

__all__ = ["IdentityPolicy"]
