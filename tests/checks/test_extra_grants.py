"""What a role or a security group of the source has in AWS beside what the source gives it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.attachments import extra_attachments
from infraspec.checks.deployed.inventory import FirewallRule, extra_grants, extra_rules
from infraspec.core.finding import Location
from infraspec.core.unknown import Unknown, Value
from infraspec.terraform.plan import Diagnostic, Plan, Resource
from tests.live.deployed import deployed, moved, reference

ROLE, GROUP = "module.iam.aws_iam_role.execution", "module.rds.aws_security_group.database"
INGRESS = "module.rds.aws_vpc_security_group_ingress_rule.from_tasks"
NAME = str(reference().by_address[ROLE].get("name"))
HERE = Location("main.tf", 1)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
ATTACHED, INLINE = "arn:aws:iam::123456789012:role/by-hand with Administrator", "arn:1 inline policy debug"


def made(address: str, type_: str, **values: Value) -> Resource:
    """Return a resource of a type."""
    return Resource(address, "managed", type_, "one", None, "", values)


BY_HAND = (
    made(ATTACHED, "aws_iam_role_policy_attachment", role=NAME, policy_arn=ADMIN),
    made(INLINE, "aws_iam_role_policy", role=NAME, name="debug"),
)


def extended(plan: Plan, *resources: Resource) -> Plan:
    """Return a plan with more resources."""
    return plan.replaced(resources=(*plan.resources, *resources))


def found(*sources: Resource, plan: Plan | None = None) -> list[tuple[str, bool, str]]:
    """Return address, certainty and import id of what the role has by hand, where the source has these as well."""
    given = extra_grants(extended(plan or reference(), *sources), extended(deployed(), *BY_HAND))
    return [(one.arn, one.certain, one.import_id) for one in given]


def test_what_the_source_gives_is_not_extra() -> None:
    """As it was applied, no role has more."""
    assert [] == list(extra_grants(reference(), deployed()))


def test_what_was_given_by_hand_is_told_with_its_import() -> None:
    """Terraform imports an attachment by role and ARN, an inline policy by role and name."""
    assert [(ATTACHED, True, f"{NAME}/{ADMIN}"), (INLINE, True, f"{NAME}:debug")] == found()


@pytest.mark.parametrize(
    ("source", "left"),
    [
        (made("a.b", "aws_iam_policy_attachment", roles=["other", NAME], policy_arn=ADMIN), [INLINE]),
        (made("a.b", "aws_iam_policy_attachment", roles=["other"], policy_arn=ADMIN), [ATTACHED, INLINE]),
        (
            made("a.b", "aws_iam_role_policy_attachments_exclusive", role_name=NAME, policy_arns=["x", ADMIN]),
            [INLINE],
        ),
        (made("a.b", "aws_iam_role_policies_exclusive", role_name=NAME, policy_names=["debug"]), [ATTACHED]),
        (
            replace(made("a.b", "aws_iam_role", name=NAME, managed_policy_arns=[ADMIN]), locate=lambda _: HERE),
            [INLINE],
        ),
        (made("a.b", "aws_iam_role", name=NAME, managed_policy_arns=[ADMIN]), [ATTACHED, INLINE]),
    ],
)
def test_whatever_way_the_source_gives_it(source: Resource, left: list[str]) -> None:
    """Terraform has several resources that attach a policy; what a state repeats of a role is none of them."""
    assert left == [arn for arn, *_ in found(source)]


@pytest.mark.parametrize(
    "source",
    [
        made("a.b", "aws_iam_role_policy_attachment", role=NAME, policy_arn=Unknown("data.aws_iam_policy.p.arn")),
        made("a.b", "aws_iam_role_policy_attachment", role=Unknown("var.role"), policy_arn=ADMIN),
        made("a.b", "aws_iam_policy_attachment", roles=Unknown("var.roles"), policy_arn=ADMIN),
    ],
)
def test_what_the_source_may_give_is_not_certain(source: Resource) -> None:
    """The policy may be the one that it does not know the ARN of."""
    assert [False, True] == [certain for _, certain, _ in found(source)]


def test_a_module_that_is_not_here_may_give_it() -> None:
    """What it makes is not known."""
    opaque = reference().replaced(diagnostics=(Diagnostic("warning", "module.x is not evaluated: its source is not"),))
    assert [False, False] == [certain for _, certain, _ in found(plan=opaque)]


def test_a_role_of_somebody_else_is_theirs() -> None:
    """What a role has that is in no source is said by the role itself, or is none of ours."""
    live = extended(deployed(), made("arn:x", "aws_iam_role_policy", role="other", name="debug"))
    assert [] == list(extra_grants(reference(), live))


CREDENTIALS = 'module.secretsmanager.aws_secretsmanager_secret.this["database"]'
ARN = str(deployed().by_address[CREDENTIALS].get("arn"))


def policies(*sources: Resource, plan: Plan | None = None, of: str = ARN) -> list[tuple[str, bool]]:
    """Return address and certainty of the policies by hand, where a secret has one."""
    by_hand = made(f"{of} policy", "aws_secretsmanager_secret_policy", secret_arn=of, policy="{}")
    given = extra_attachments(extended(plan or reference(), *sources), extended(deployed(), by_hand))
    return [(one.arn, one.certain) for one in given]


def test_a_policy_that_a_secret_got_by_hand_is_extra() -> None:
    """As it was applied nothing has more, and of a secret of somebody else nothing is said."""
    assert [] == list(extra_attachments(reference(), deployed()))
    assert [(f"{ARN} policy", True)] == policies()
    assert [] == policies(of=f"{ARN}x")


def test_a_policy_that_the_source_has_or_may_have_is_not_certainly_extra() -> None:
    """By a resource of its own, by one of a secret that is not known, or as an argument."""
    kind = "aws_secretsmanager_secret_policy"
    assert [] == policies(made("a.b", kind, secret_arn=Unknown(f"{CREDENTIALS}.arn")))
    assert [(f"{ARN} policy", False)] == policies(made("a.b", kind, secret_arn=Unknown("var.arn")))
    own = replace(reference().by_address[CREDENTIALS], locate=lambda _: HERE)
    resources = tuple(own if one.address == CREDENTIALS else one for one in reference().resources)
    assert [] == policies(plan=reference().replaced(resources=resources))


GROUP_ID, RULE_ID = (str(deployed().by_address[address].get("id")) for address in (GROUP, INGRESS))


def rules(plan: Plan | None = None, live: Plan | None = None, group: str = GROUP_ID) -> list[tuple[str, bool]]:
    """Return id and certainty of the rules that are extra, where AWS has the one of the source and one by hand."""
    there = [
        FirewallRule("arn:own", RULE_ID, group, is_egress=False),
        FirewallRule("arn:hand", "sgr-hand", group, is_egress=False),
    ]
    found = extra_rules(plan or reference(), live or deployed(), there)
    return [(one.arn, one.certain) for one in found]


def test_a_rule_by_hand_is_extra() -> None:
    """The one of the source is not, and neither are those of a group of somebody else."""
    assert [("arn:hand", True)] == rules()
    assert [] == rules(group="sg-other")


def test_a_rule_that_may_be_one_of_the_source_is_not_certain() -> None:
    """One of the same group is missing, or one is of a group that the source does not know."""
    live = deployed().replaced(resources=tuple(one for one in deployed().resources if one.address != INGRESS))
    assert [("arn:own", False), ("arn:hand", False)] == rules(live=live)
    stranger = made("x.y", "aws_vpc_security_group_ingress_rule", security_group_id=Unknown("var.group"))
    assert [("arn:hand", False)] == rules(plan=extended(reference(), stranger))


@pytest.mark.parametrize("kind", ["aws_security_group_rule", "block"])
def test_rules_that_terraform_compares_are_left_to_it(kind: str) -> None:
    """Blocks of a group are all of its rules, and its plan takes away every other."""
    own = reference().by_address[GROUP]
    if kind == "block":
        held = replace(own, locate=lambda name: HERE if name == "ingress" else None)
        plan = reference().replaced(
            resources=tuple(
                held if one.address == GROUP else one for one in reference().resources if one.address != INGRESS
            )
        )
        live = deployed().replaced(resources=tuple(one for one in deployed().resources if one.address != INGRESS))
        assert [] == rules(plan=plan, live=live)
    else:
        old = made("x.y", "aws_security_group_rule", security_group_id=Unknown(f"{GROUP}.id"))
        assert [] == rules(plan=extended(reference(), old))


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (None, []),
        ("222233334444", [(ATTACHED, True), (INLINE, True)]),
        (Unknown("var.account"), [(ATTACHED, False), (INLINE, False)]),
    ],
)
def test_a_role_of_the_name_in_another_account_is_given_nothing_here(
    account: Value, expected: list[tuple[str, bool]]
) -> None:
    """What the source attaches there excuses nobody; what it may attach here leaves it open."""
    there = [replace(one, address=f"{one.type}.there", provider="aws.other") for one in BY_HAND]
    given = extra_grants(extended(moved(account=account), *there), extended(deployed(), *BY_HAND))
    assert expected == [(one.arn, one.certain) for one in given]


@pytest.mark.parametrize(("region", "certain"), [(None, False), ("us-east-1", True)])
def test_a_rule_of_another_region_is_of_no_group_here(region: Value, *, certain: bool) -> None:
    """One whose group is not known leaves it open only if it may be here."""
    values = {"security_group_id": Unknown("var.group")}
    rule = replace(made("a.b", "aws_vpc_security_group_ingress_rule", **values), provider="aws.other")
    group = deployed().by_address[GROUP].get("id")
    (stray,) = extra_rules(
        extended(moved(region=region), rule), deployed(), [FirewallRule("arn:1", "sgr-1", str(group), is_egress=False)]
    )
    assert certain is stray.certain


@pytest.mark.parametrize(("region", "expected"), [(None, []), ("us-east-1", ["arn policy"])])
def test_the_policy_of_a_repository_of_another_region_is_not_the_one_here(region: Value, expected: list[str]) -> None:
    """A repository of the same name may be in each."""
    repository = made("aws_ecr_repository.one", "aws_ecr_repository", name="web")
    there = replace(made("a.b", "aws_ecr_repository_policy", repository="web", policy="{}"), provider="aws.other")
    plan = extended(moved(region=region), repository, there)
    live = extended(deployed(), repository, made("arn policy", "aws_ecr_repository_policy", repository="web"))
    assert expected == [one.arn for one in extra_attachments(plan, live)]
