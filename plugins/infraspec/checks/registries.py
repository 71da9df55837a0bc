"""Which repositories of ECR are filled through a pull-through cache rule of the plan.

Source: Amazon ECR User Guide, "Sync an upstream registry with an Amazon ECR private registry": a rule is for the
repositories below its prefix, one with the prefix ROOT for all that no other rule is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from infraspec.checks.owners import Owners
from infraspec.unknown import Value, render

_RULE = "aws_ecr_pull_through_cache_rule"
_ANY = "ROOT"


@dataclass
class Registries:
    """The pull-through cache rules of a plan."""

    owners: Owners

    def is_cached(self, repository: Value) -> bool:
        """Tell whether the images of a repository, given by its ARN, may come through a rule."""
        below, anywhere = self._beginnings
        text = render(repository)
        return text.startswith(below) or (text.startswith(anywhere) and not self.exists(repository))

    def exists(self, repository: Value) -> bool:
        """Tell whether a repository is a resource of the plan."""
        return self.owners.find(repository) is not None

    @cached_property
    def _beginnings(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What the ARNs of the repositories begin with: of rules with a prefix, and of those with ROOT."""
        attributes = self.owners.attributes
        below, anywhere = [], []
        for rule in self.owners.plan.managed(_RULE):
            prefix = attributes.text(rule, "ecr_repository_prefix")
            if prefix == _ANY:
                anywhere.append(render(attributes.arn(rule, "ecr", "repository/")))
            else:
                below.append(render(attributes.arn(rule, "ecr", "repository/", prefix, "/")))
        return tuple(below), tuple(anywhere)
