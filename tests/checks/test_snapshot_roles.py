"""Roles of other stacks, as a snapshot of their account has them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.checks.access.explanation import explain
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.common.roles_in_snapshots import INTO_THE_PLAN
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.unknown import JsonText, Unknown, Value
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Change, Plan, Resource, Uncertain
from tests.checks.access_cases import ACCOUNT, CASES, LETS_ECS_IN, OTHER_ACCOUNT, REGION, Case, resource
from tests.checks.test_access_from_inputs import EDITS, SOURCE, evaluated
from tests.terraform.iam_exports import allow, export, policy, role, settled, taken_out, with_export

REFERENCE = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
CONTRACT = Contract.model_validate(
    {"project": {"application": "app"}, "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}}}
)
UNPLACED = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})


def judged(plan: Plan, contract: Contract = CONTRACT) -> list[Finding]:
    """Return the findings about the access of a plan."""
    return check_secret_access(plan, task_definitions(plan), contract, "prod")


def verdicts(plan: Plan) -> dict[str, str]:
    """Return the verdict on each need."""
    return {finding.key: finding.verdict.value for finding in judged(plan)}


def assert_equal_elsewhere(plan: Plan, directory: Path) -> set[str]:
    """Assert that the roles of a plan are judged alike if they are in a snapshot instead; return the verdicts."""
    whole = settled(plan)
    left, text = taken_out(whole)
    expected = verdicts(whole)
    assert expected == verdicts(with_export(left, directory, text))
    return set(expected.values())


def test_the_roles_of_the_reference_infrastructure_are_judged_alike(tmp_path: Path) -> None:
    """All roles of the reference infrastructure are judged from a snapshot as they are from its source."""
    contract = contracts.load(REFERENCE)
    plan = Environments(contract).plan("prod")
    assert {PROVEN} == assert_equal_elsewhere(plan, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_role_from_a_snapshot_is_judged_as_one_of_the_plan(case: Case, tmp_path: Path) -> None:
    """Each row of the access table, covered, not covered and denied, is judged alike from plan and snapshot."""
    denied = {**case.statement(case.covers), "Effect": "Deny"}
    seen = set[str]()
    for statements in ((case.covers,), (case.misses,), ()):
        seen |= assert_equal_elsewhere(case.plan(*map(case.statement, statements)), tmp_path)
    seen |= assert_equal_elsewhere(case.plan(case.statement(case.covers), denied), tmp_path)
    assert "proven" in seen
    assert len(seen) > 1


@pytest.mark.parametrize(("text", "other"), [("", ""), *((text, other) for text, other, _ in EDITS)])
def test_every_edit_is_judged_alike(text: str, other: str, tmp_path: Path) -> None:
    """Roles, secrets, keys and conditions evaluated from source are judged alike, whole and broken."""
    (tmp_path / "source").mkdir()
    source = SOURCE.replace(text, other) if text else SOURCE
    seen = assert_equal_elsewhere(evaluated(tmp_path / "source", source), tmp_path)
    assert (seen != {PROVEN}) is bool(text)


READ = "secretsmanager:GetSecretValue"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/shared"
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/read"
OF_AWS = "arn:aws:iam::aws:policy/SecretsManagerReadWrite"
READS, NOTHING = allow(READ), allow("s3:GetObject")
PROVEN, VIOLATED, UNDETERMINED = (one.value for one in (Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED))


def task(role: Value = ROLE, **values: Value) -> Resource:
    """Return a task definition whose container reads a secret with an execution role."""
    container = {"name": "app", "image": "nginx:1", "secrets": [{"name": "DB", "valueFrom": SECRET}]}
    containers = JsonText([container])
    return resource(
        "aws_ecs_task_definition.app", family="app", requires_compatibilities=["FARGATE"], execution_role_arn=role,
        container_definitions=containers, **values,
    )  # fmt: skip


def plan_of(*resources: Resource, account: Value = ACCOUNT, **settings: Value) -> Plan:
    """Return a plan of a region."""
    return Plan("source", resources, account=account, region=REGION, **settings)


def reading(plan: Plan, contract: Contract = CONTRACT) -> str:
    """Return the verdict on reading the secret."""
    return next(finding.verdict.value for finding in judged(plan, contract) if READ in finding.subject)


def inline(name: Value, document: Value, role: Value = "shared", **values: Value) -> Resource:
    """Return an inline policy that a plan puts into a role."""
    given = {} if name is None else {"name": name}
    return resource("aws_iam_role_policy.here", role=role, policy=JsonText(document), **given, **values)


def attachment(arn: Value, role: Value = "shared") -> Resource:
    """Return an attachment of a plan."""
    return resource("aws_iam_role_policy_attachment.here", role=role, policy_arn=arn)


CARRIERS = {
    "inline": export(role("shared", {"read": READS})),
    "managed": export(role("shared", attached=[MANAGED]), policies=[policy(MANAGED, NOTHING, READS)]),
    "of AWS": export(role("shared", attached=[OF_AWS]), policies=[policy(OF_AWS, READS)]),
    "boundary": export(role("shared", {"read": READS}, boundary=MANAGED), policies=[policy(MANAGED, READS)]),
}
REFUSALS = {
    "another policy": export(role("shared", {"read": NOTHING})),
    "nothing": export(role("shared")),
    "an older version": export(role("shared", attached=[MANAGED]), policies=[policy(MANAGED, READS, NOTHING)]),
    "another role": export(role("shared"), role("other", {"read": READS})),
    "a deny": export(role("shared", {"read": READS, "no": allow(READ, "*", "Deny")})),
    "the boundary": export(role("shared", {"read": READS}, boundary=MANAGED), policies=[policy(MANAGED, NOTHING)]),
}
OPEN = {
    "no text of a managed policy": export(role("shared", attached=[MANAGED])),
    "no text of the boundary": export(role("shared", {"read": READS}, boundary=MANAGED)),
    "no default version": export(
        role("shared", attached=[MANAGED]),
        policies=[{**policy(MANAGED, READS), "PolicyVersionList": []}],
    ),
    "another account": export(role("shared", {"read": READS}, account=OTHER_ACCOUNT)),
    "another partition": export(role("shared", {"read": READS}, partition="aws-cn")),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(pytest.param(text, PROVEN, id=name) for name, text in CARRIERS.items()),
        *(pytest.param(text, VIOLATED, id=name) for name, text in REFUSALS.items()),
        *(pytest.param(text, UNDETERMINED, id=name) for name, text in OPEN.items()),
    ],
)
def test_all_that_a_role_has_counts(text: str, expected: str, tmp_path: Path) -> None:
    """Inline, customer managed and AWS managed policies count, the default version, and the boundary."""
    assert expected == reading(with_export(plan_of(task()), tmp_path, text))


READER = export(role("shared", {"read": READS}))
DATA = resource("data.aws_iam_role.shared", name="shared")
BY_DATA = Unknown("data.aws_iam_role.shared.arn")
HERE = resource("aws_iam_role.shared", name="shared", assume_role_policy=LETS_ECS_IN)
SAME_NAME = [HERE, resource("aws_iam_role.twin", name="shared", assume_role_policy=LETS_ECS_IN)]
NAMES = {
    "an ARN": (plan_of(task()), PROVEN),
    "an ARN, the own account not known": (plan_of(task(), account=Unknown("account")), PROVEN),
    "a data source": (plan_of(task(BY_DATA), DATA), PROVEN),
    "a data source, the account not known": (plan_of(task(BY_DATA), DATA, account=Unknown("account")), UNDETERMINED),
    "a data source of another provider": (plan_of(task(BY_DATA), replace(DATA, provider="aws.other")), UNDETERMINED),
    "a role of the plan": (plan_of(task(), HERE), VIOLATED),
    "two roles of the plan": (plan_of(task(), *SAME_NAME), UNDETERMINED),
    "a role whose name is not known": (
        plan_of(task(), resource("aws_iam_role.x", name_prefix="sha", assume_role_policy=LETS_ECS_IN)), UNDETERMINED
    ),
    "a role of another prefix": (
        plan_of(task(), resource("aws_iam_role.x", name_prefix="app", assume_role_policy=LETS_ECS_IN)), PROVEN
    ),
}  # fmt: skip


@pytest.mark.parametrize(("plan", "expected"), NAMES.values(), ids=NAMES)
def test_a_snapshot_answers_what_the_plan_does_not(plan: Plan, expected: str, tmp_path: Path) -> None:
    """A role is answered where its account is known, and the plan neither has it nor may have it."""
    assert expected == reading(with_export(plan, tmp_path, READER), UNPLACED)


EMPTY = export(role("shared"), policies=[policy(MANAGED, READS)])
FULL = export(role("shared", {"read": READS}, [MANAGED]), policies=[policy(MANAGED, READS)])
ATTACHED = export(role("shared", attached=[MANAGED]), policies=[policy(MANAGED, READS)])


def deleted(type_: str, **before: Value) -> dict[str, Value]:
    """Return the settings of a plan that deletes a resource."""
    return {"changes": (Change(f"{type_}.x", ("delete",), type=type_, before=before),)}


def exclusive(type_: str, **values: Value) -> Resource:
    """Return a resource that takes away what it does not name."""
    return resource(f"{type_}.x", **values)


INLINE, POLICIES, ATTACHMENTS, ALL = (
    "aws_iam_role_policy",
    "aws_iam_role_policies_exclusive",
    "aws_iam_role_policy_attachments_exclusive",
    "aws_iam_policy_attachment",
)
CHANGES = {
    "an inline policy is added": (EMPTY, plan_of(task(), inline("more", READS)), PROVEN),
    "one is added through a data source": (
        EMPTY, plan_of(task(BY_DATA), DATA, inline("more", READS, Unknown("data.aws_iam_role.shared.name"))), PROVEN
    ),
    "one is added to a role of another account": (
        EMPTY, plan_of(task(), inline("more", READS), account=Unknown("account")), UNDETERMINED
    ),
    "a policy of the snapshot is attached": (EMPTY, plan_of(task(), attachment(MANAGED)), PROVEN),
    "a deny is added": (READER, plan_of(task(), inline("no", allow(READ, "*", "Deny"))), VIOLATED),
    "a deny is added to a role of which nothing is known": (
        READER, plan_of(task(), inline("no", allow(READ, "*", "Deny"), Unknown("var.role"))), UNDETERMINED
    ),
    "a policy is added to a role of which nothing is known": (
        EMPTY, plan_of(task(), inline("more", READS, Unknown("var.role"))), UNDETERMINED
    ),
    "a deny is added to a role of another name": (
        READER, plan_of(task(), inline("no", allow(READ, "*", "Deny"), "other")), PROVEN
    ),
    "an inline policy is replaced": (READER, plan_of(task(), inline("read", NOTHING)), VIOLATED),
    "another one is": (READER, plan_of(task(), inline("other", NOTHING)), PROVEN),
    "one whose name is not known": (READER, plan_of(task(), inline(None, NOTHING)), UNDETERMINED),
    "one of another role": (READER, plan_of(task(), inline("read", NOTHING, "other")), PROVEN),
    "an inline policy is deleted": (
        READER, plan_of(task(), **deleted(INLINE, role="shared", name="read")), VIOLATED
    ),
    "another one is deleted": (READER, plan_of(task(), **deleted(INLINE, role="shared", name="no")), PROVEN),
    "an attachment is deleted": (
        ATTACHED,
        plan_of(task(), **deleted("aws_iam_role_policy_attachment", role="shared", policy_arn=MANAGED)),
        VIOLATED,
    ),
    "the role is deleted": (READER, plan_of(task(), **deleted("aws_iam_role", name="shared", arn=ROLE)), UNDETERMINED),
    "inline policies without it": (
        READER, plan_of(task(), exclusive(POLICIES, role_name="shared", policy_names=["x"])), VIOLATED
    ),
    "inline policies with it": (
        READER, plan_of(task(), exclusive(POLICIES, role_name="shared", policy_names=["read"])), PROVEN
    ),
    "attachments without it": (
        ATTACHED, plan_of(task(), exclusive(ATTACHMENTS, role_name="shared", policy_arns=[])), VIOLATED
    ),
    "attachments with it": (
        ATTACHED, plan_of(task(), exclusive(ATTACHMENTS, role_name="shared", policy_arns=[MANAGED])), PROVEN
    ),
    "the policy is attached to others only": (
        ATTACHED, plan_of(task(), exclusive(ALL, name="x", roles=["other"], policy_arn=MANAGED)), VIOLATED
    ),
    "the policy of the plan wins": (
        ATTACHED, plan_of(task(), resource("aws_iam_policy.read", name="read", policy=JsonText(NOTHING))), VIOLATED
    ),
    "a policy of the plan may be it": (
        ATTACHED, plan_of(task(), resource("aws_iam_policy.x", name_prefix="re", policy=JsonText(READS))), UNDETERMINED
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "plan", "expected"), CHANGES.values(), ids=CHANGES)
def test_what_the_plan_changes_wins_over_the_snapshot(text: str, plan: Plan, expected: str, tmp_path: Path) -> None:
    """What a plan attaches counts too; what it replaces, deletes or takes away counts no more."""
    assert expected == reading(with_export(plan, tmp_path, text), UNPLACED)


ADDED = {name: case for name, case in CHANGES.items() if case[1].managed()[1:]}


@pytest.mark.parametrize(("text", "plan", "expected"), ADDED.values(), ids=ADDED)
def test_what_the_plan_may_change_leaves_it_open(text: str, plan: Plan, expected: str, tmp_path: Path) -> None:
    """What is attached, replaced or taken away by a resource of an unknown count is not certain either way."""
    first, *added = plan.managed()
    without = plan.replaced(resources=(first, *plan.data()) if not plan.data() else (first, DATA))
    absent = {one.address: Uncertain("count", one.address, Unknown("var.on")) for one in added}
    found = reading(with_export(plan.replaced(uncertain=absent), tmp_path, text), UNPLACED)
    same = expected == reading(with_export(without, tmp_path, text), UNPLACED)
    assert found in ({expected, UNDETERMINED} if same else {UNDETERMINED})


def test_a_policy_of_another_stack_counts_in_a_role_of_the_plan(tmp_path: Path) -> None:
    """A policy that a role of the plan names by its ARN is as the snapshot has it; the role's own is not."""
    plan = plan_of(
        task(Unknown("aws_iam_role.shared.arn")), HERE, attachment(MANAGED, Unknown("aws_iam_role.shared.name"))
    )
    assert UNDETERMINED == reading(plan)
    assert PROVEN == reading(with_export(plan, tmp_path, EMPTY))
    read = resource("data.aws_iam_policy.read", name="read")
    by_data = plan.replaced(
        resources=(*plan.resources[:-1], read, attachment(Unknown(f"{read.address}.arn"), "shared"))
    )
    assert PROVEN == reading(with_export(by_data, tmp_path, EMPTY))
    text = export(role("shared", {"read": READS}), policies=[policy(MANAGED, NOTHING)])
    assert VIOLATED == reading(with_export(plan, tmp_path, text))


def test_several_accounts_are_told_apart(tmp_path: Path) -> None:
    """Each role is answered by the snapshot of its own account."""
    other = export(role("shared", {"read": READS}, account=OTHER_ACCOUNT))
    assert VIOLATED == reading(with_export(plan_of(task()), tmp_path, other, EMPTY))
    assert PROVEN == reading(with_export(plan_of(task()), tmp_path, other, READER))


def test_the_newest_text_of_a_policy_of_aws_counts(tmp_path: Path) -> None:
    """A policy of AWS is the same in every account: of two snapshots the one with the newer version has it."""
    here = export(role("shared", attached=[OF_AWS]), policies=[policy(OF_AWS, NOTHING)])
    there = export(role("x", account=OTHER_ACCOUNT), policies=[policy(OF_AWS, NOTHING, READS)])
    assert VIOLATED == reading(with_export(plan_of(task()), tmp_path, here))
    for texts in ((here, there), (there, here)):
        assert PROVEN == reading(with_export(plan_of(task()), tmp_path, *texts))


def test_an_attachment_that_may_be_none_is_not_certain(tmp_path: Path) -> None:
    """What is attached with a count that is not known may not be attached at all."""
    uncertain = attachment(MANAGED)
    absent = {uncertain.address: Uncertain("count", uncertain.address, Unknown("var.on"))}
    assert UNDETERMINED == reading(with_export(plan_of(task(), uncertain, uncertain=absent), tmp_path, EMPTY))


def test_a_policy_of_another_account_is_not_the_one_of_the_plan(tmp_path: Path) -> None:
    """A role of another account has the policies of that account, though the plan has one of the same name."""
    elsewhere = MANAGED.replace(ACCOUNT, OTHER_ACCOUNT)
    text = export(role("shared", attached=[elsewhere], account=OTHER_ACCOUNT), policies=[policy(elsewhere, READS)])
    plan = plan_of(resource("aws_iam_policy.read", name="read", policy=JsonText(NOTHING)))
    found = explain(with_export(plan, tmp_path, text), ROLE.replace(ACCOUNT, OTHER_ACCOUNT), READ, "*")
    assert elsewhere == (found.hit.policy.name if found.hit else "")


def test_a_data_source_has_the_arn_of_the_snapshot(tmp_path: Path) -> None:
    """The path of a role that is looked up by its name is known: a policy that names it names it for certain."""
    text = export(role("shared", {"read": READS}, path="/apps/"))
    plan = with_export(plan_of(task(BY_DATA), DATA), tmp_path, text)
    assert f"arn:aws:iam::{ACCOUNT}:role/apps/shared" == AwsAttributes(plan).narrow(BY_DATA)
    assert PROVEN == reading(plan)


def only(plan: Plan) -> Finding:
    """Return the one finding about a plan."""
    (finding,) = judged(plan)
    return finding


def test_a_role_of_another_account_cannot_be_passed(tmp_path: Path) -> None:
    """A task whose role is of another account is VIOLATED, whatever that role may do."""
    foreign = f"arn:aws:iam::{OTHER_ACCOUNT}:role/shared"
    text = export(role("shared", {"read": READS}, account=OTHER_ACCOUNT))
    finding = only(with_export(plan_of(task(foreign)), tmp_path, text))
    assert Verdict.VIOLATED is finding.verdict
    assert f"the role is of account {OTHER_ACCOUNT}, the task of account {ACCOUNT}" == finding.found


def test_a_role_that_the_snapshot_does_not_have_is_one_finding(tmp_path: Path) -> None:
    """It says where it was looked for, how old that is at least, and how to look again."""
    finding = only(with_export(plan_of(task()), tmp_path, export(role("other"))))
    assert Verdict.UNDETERMINED is finding.verdict
    assert f"{ROLE} is not in iam0.json (IAM of account {ACCOUNT}, newest date in it 2026-11-20)" == finding.found
    assert finding.remedy.endswith("aws iam get-account-authorization-details --output json > iam0.json")


def test_a_role_under_another_path_is_not_the_one_that_is_named(tmp_path: Path) -> None:
    """An ARN with a wrong path names no role, and the finding says which ARN there is."""
    finding = only(with_export(plan_of(task()), tmp_path, export(role("shared", {"read": READS}, path="/apps/"))))
    assert f"which has arn:aws:iam::{ACCOUNT}:role/apps/shared" in finding.found
    assert f"name arn:aws:iam::{ACCOUNT}:role/apps/shared" == finding.remedy


def test_findings_name_the_file_and_the_line_of_the_statement(tmp_path: Path) -> None:
    """What is proven says which statement of which policy, and where in the file it stands."""
    lines = READER.splitlines()
    line = next(index for index, text in enumerate(lines, 1) if READ in text) - 2
    assert lines[line - 1].strip() == "{"
    found = {finding.subject: finding for finding in judged(with_export(plan_of(task()), tmp_path, READER))}
    reason = found[f'container "app", secret "DB": {READ}'].reason
    assert f"{ROLE} is allowed by {ROLE} inline policy read Statement.0 (iam0.json:{line})" == reason
    trust = found["execution role: sts:AssumeRole by ecs-tasks.amazonaws.com"].reason
    first = next(index for index, text in enumerate(lines, 1) if '"Principal"' in text)
    assert f"the trust policy of {ROLE} allows it by Statement.0 (iam0.json:{first - 2})" == trust


def test_a_statement_that_is_missing_belongs_where_the_role_is_managed(tmp_path: Path) -> None:
    """The role and the closest statement are shown with their lines of the file."""
    denied = with_export(plan_of(task()), tmp_path, export(role("shared", {"read": allow(READ, f"{SECRET}x")})))
    finding = next(one for one in judged(denied) if READ in one.subject)
    assert Verdict.VIOLATED is finding.verdict
    assert f"add to a policy of {ROLE}, where it is managed, the statement\n" in finding.remedy
    places = {one.role: one.location for one in finding.related}
    assert {"role", "statement"} == set(places)
    assert all(
        isinstance(place, Location) and place.file == "iam0.json" and place.line > 1 for place in places.values()
    )


def test_characters_that_aws_chooses_are_not_guessed(tmp_path: Path) -> None:
    """A policy that names a secret with its six characters may be about the one of the source; a state would tell."""
    secret = resource("aws_secretsmanager_secret.db", name="db")
    secrets = [{"name": "DB", "valueFrom": Unknown(f"{secret.address}.arn")}]
    container = {"name": "app", "image": "nginx:1", "secrets": secrets}
    written = task()
    values = {**written.values, "container_definitions": JsonText([container])}
    plan = plan_of(replace(written, values=values), secret)
    for pattern, expected in ((SECRET, UNDETERMINED), (f"{SECRET[:-6]}??????", PROVEN), (f"{SECRET}?", VIOLATED)):
        text = export(role("shared", {"read": allow(READ, pattern)}))
        finding = next(one for one in judged(with_export(plan, tmp_path, text)) if READ in one.subject)
        assert expected == finding.verdict.value
        exact = pattern == SECRET
        assert exact is finding.remedy.startswith("give a plan or state file in which the ARN is known, or write")


@pytest.mark.parametrize("broken", ["lambda.amazonaws.com", "ec2.amazonaws.com"])
def test_a_trust_policy_of_a_snapshot_is_judged(broken: str, tmp_path: Path) -> None:
    """A role that lets another service in is VIOLATED, at its line of the file."""
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"Service": broken}, "Action": "sts:AssumeRole"}]}
    plan = with_export(plan_of(task()), tmp_path, export(role("shared", {"read": READS}, trust=trust)))
    finding = judged(plan)[0]
    assert Verdict.VIOLATED is finding.verdict
    assert f"add to assume_role_policy of {ROLE} (iam0.json:5), where that is managed, the statement" in finding.remedy


def test_without_a_snapshot_the_remedy_is_to_give_one() -> None:
    """A role that is nowhere says which account to export, and how."""
    trust, secret, _ = judged(plan_of(task()))
    for finding in (trust, secret):
        assert Verdict.UNDETERMINED is finding.verdict
        assert (
            f"{INTO_THE_PLAN}, or give a snapshot of IAM in account {ACCOUNT}, "
            "--infraspec-snapshot iam.json:\naws iam get-account-authorization-details --output json > iam.json"
            == finding.remedy
        )
