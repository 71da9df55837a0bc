"""The stacks of a generated tree, and the violations that are planted into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STAGE, ACCOUNT, REGION = "prod", "111122223333", "eu-central-1"
RESOURCES_PER_STACK = 30
_DOMAINS = ("payments", "orders", "catalog", "identity", "billing", "search", "shipping", "ledger", "notices", "risk")
_TEAMS = ("team-core", "team-money", "team-growth", "team-platform")


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of a template that is replaced; it has to be there exactly once, or `everywhere`."""

    old: str
    new: str
    everywhere: bool = False

    def apply(self, text: str) -> str:
        """Return the text with the piece replaced. Raises ValueError if it does not stand there as it should."""
        count = text.count(self.old)
        if count == 0 or (count > 1 and not self.everywhere):
            raise ValueError(f"{self.old!r} stands {count} times in the template")
        return text.replace(self.old, self.new)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a template file: the last of the needles, each looked for after the one before."""

    file: str
    needles: tuple[str, ...]

    def line(self, text: str) -> int:
        """Return the line, counted from 1. Raises ValueError if a needle is missing."""
        at = 0
        for needle in self.needles:
            at = text.index(needle, at)
        return text.count("\n", 0, at) + 1


@dataclass(frozen=True, slots=True)
class Violation:
    """A kind of violation: the rule that finds it, where, and the edits that plant it.

    `place` is what a finding points at, `cause` the line that was made wrong. `source` edits the file of the cause,
    `plan` the template of the resource `planned` (none for a name, which is a value of the stack).
    """

    rule: str
    resource: str
    place: Place
    cause: Place
    source: Edit
    planned: str = ""
    plan: Edit | None = None


_TASK = "aws_ecs_task_definition.this"
_POLICY = "aws_iam_role_policy.execution"
_IDENTIFIER = Place("rds.tf", ('resource "aws_db_instance" "this"', "identifier"))
_TAGS = Place("secrets.tf", ('resource "aws_secretsmanager_secret" "api_key"', "  tags = "))
_LITERAL_TAGS = """  tags = {
    Application = local.app
    Environment = var.environment
    ManagedBy   = "terraform"
    Name        = "${local.prefix}-api-key"
    Owner       = var.owner
  }"""
_MERGED_TAGS = """  tags = merge(local.common_tags, {
    Name = "${local.prefix}-api-key"
  })"""
_WEBHOOK_ARN = "arn:aws:secretsmanager:@region@:@account@:secret:@stage@/@app@/webhook_token-Hf4cYz"

VIOLATIONS: Mapping[str, Violation] = {
    "name": Violation(
        rule="names",
        resource="aws_db_instance.this",
        place=_IDENTIFIER,
        cause=_IDENTIFIER,
        source=Edit(
            'identifier                   = "${local.prefix}-db"', 'identifier                   = "${local.app}_DB"'
        ),
    ),
    "tag": Violation(
        rule="tags",
        resource="aws_secretsmanager_secret.api_key",
        place=_TAGS,
        cause=_TAGS,
        source=Edit(_MERGED_TAGS, _LITERAL_TAGS),
        planned="aws_secretsmanager_secret.api_key",
        plan=Edit('"CostCenter": "@cost_center@", ', "", everywhere=True),
    ),
    "secret": Violation(
        rule="secret-access",
        resource=_TASK,
        place=Place("ecs.tf", ("valueFrom = aws_secretsmanager_secret.webhook_token.arn",)),
        cause=Place("iam.tf", ('"ReadSecrets"', "Resource = [")),
        source=Edit("          aws_secretsmanager_secret.webhook_token.arn,\n", ""),
        planned=_POLICY,
        plan=Edit(f', "{_WEBHOOK_ARN}"', ""),
    ),
    "log": Violation(
        rule="secret-access",
        resource=_TASK,
        place=Place("ecs.tf", ("awslogs-group ",)),
        cause=Place("iam.tf", ('"WriteLogs"', "Resource ")),
        source=Edit("log-group:/ecs/${local.prefix}:*", "log-group:/ecs/${local.prefix}"),
        planned=_POLICY,
        plan=Edit("log-group:/ecs/@prefix@:*", "log-group:/ecs/@prefix@"),
    ),
}
"""By the name that --plant takes. A log group's own ARN, without `:*`, covers no log stream of it."""


_ARNS = """[
          aws_secretsmanager_secret.database_url.arn,
          aws_secretsmanager_secret.api_key.arn,
          aws_secretsmanager_secret.signing_key.arn,
          aws_secretsmanager_secret.webhook_token.arn,
        ]"""
_NAMED = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${var.environment}/${local.app}/*"
_ANYWHERE = "arn:aws:secretsmanager:*:*:secret:${var.environment}/${local.app}/*"
_OWN_POLICY = """
resource "aws_secretsmanager_secret_policy" "api_key" {
  secret_arn = aws_secretsmanager_secret.api_key.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "secretsmanager:*"
      Resource  = "*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
"""
_LAST = 'resource "aws_secretsmanager_secret_version" "webhook_token" {'

POLICIES: Mapping[str, tuple[str, Edit] | None] = {
    "exact": None,
    "prefix": ("iam.tf", Edit(_ARNS, f'"{_NAMED}"')),
    "anywhere": ("iam.tf", Edit(_ARNS, f'"{_ANYWHERE}"')),
    "resource": ("secrets.tf", Edit(_LAST, f"{_OWN_POLICY.lstrip()}\n{_LAST}")),
}
"""How the secrets of a stack are allowed: four ARNs, a prefix, one of any account, or with a policy on one in four."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One application of 30 managed resources, with the violations planted into it."""

    index: int
    violations: tuple[str, ...] = ()
    policies: str = "exact"

    @property
    def app(self) -> str:
        """The application's name, such as `payments-0000`."""
        # Every tenth stack is of another domain: violations that are planted evenly are not all of one.
        turn = self.index + self.index // len(_DOMAINS)
        return f"{_DOMAINS[turn % len(_DOMAINS)]}-{self.index:04d}"

    @property
    def label(self) -> str:
        """The name of the module call."""
        return self.app.replace("-", "_")

    @property
    def values(self) -> dict[str, str]:
        """What the placeholders of the templates stand for."""
        return {
            "label": self.label,
            "app": self.app,
            "prefix": f"{STAGE}-{self.app}",
            "identifier": f"{self.app}_DB" if "name" in self.violations else f"{STAGE}-{self.app}-db",
            "owner": _TEAMS[self.index % len(_TEAMS)],
            "cost_center": f"CC-{1000 + self.index % 37}",
            "hex": f"{self.index:08x}",
            "stage": STAGE,
            "account": ACCOUNT,
            "region": REGION,
        }

    def fill(self, template: str) -> str:
        """Replace every `@placeholder@` of a template."""
        for name, value in self.values.items():
            template = template.replace(f"@{name}@", value)
        return template


def make_stacks(count: int, plants: Mapping[str, int], policies: str = "exact") -> list[Stack]:
    """Return stacks with each kind of violation planted into so many of them, evenly spread."""
    chosen = {kind: {position * count // wanted for position in range(wanted)} for kind, wanted in plants.items()}
    planted = [tuple(kind for kind in VIOLATIONS if i in chosen.get(kind, ())) for i in range(count)]
    return [Stack(i, kinds, policies) for i, kinds in enumerate(planted)]
