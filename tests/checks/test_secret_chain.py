"""Rule `secret-chain`: one verdict for each value that a task reads, over all that has a say in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infraspec.checks.access.secret_chain import check_secret_chain
from infraspec.core.errors import ResourceRefusalError
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.secret_readings import chain_evidence
from infraspec.live.plan import live_plan
from tests.live.world import ACCOUNT, KEY, POLICY, ROLE, SECRET, World, allow, contract, source

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
READ, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
BEFORE, AFTER = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC)
ELSEWHERE = {"StringEquals": {"aws:PrincipalTag/team": "platform"}}


@dataclass(frozen=True)
class Look:
    """What a look at any value shows."""

    keys: tuple[str, ...] = ()
    is_readable: bool = True

    def shape(self, arn: str, *, stage: str = "", version: str = "") -> Look | None:  # noqa: ARG002 - the interface
        """Return itself, as the only secret that may be looked at is the one there is."""
        return self if arn == SECRET else None


def chain(directory: Path, world: World, look: Look | None = None) -> Finding:
    """Return the finding about the one value that is read."""
    calls, written = world.answers(), source(directory)
    plan = live_plan(calls, written, contract(), "prod")
    definitions = task_definitions(plan)
    evidence = chain_evidence(calls, plan, definitions, contract(), "prod", shapes=look)
    (finding,) = check_secret_chain(plan, definitions, evidence, contract(), "prod")
    assert finding.rule == "secret-chain"
    assert finding.address == "aws_ecs_task_definition.api"
    assert finding.subject == 'container "api", secret "DB"'
    return finding


def reads(world: World, suffix: str) -> None:
    """Let the task read the secret with something behind its ARN."""
    world.revisions = {15: world.revision(f"{SECRET}{suffix}")}


def without(world: World, action: str) -> None:
    """Take a statement away, and let the simulator know."""
    document = world.documents[POLICY]
    document["Statement"] = [one for one in document["Statement"] if one["Action"] != action]
    world.simulated[action] = {"EvalResourceDecision": "implicitDeny"}


def test_whole_chain(tmp_path: Path) -> None:
    """What every document allows is proven, and the statements are named."""
    finding = chain(tmp_path, World())
    assert finding.verdict is PROVEN
    assert finding.reason.count("allowed by") == 2
    assert not finding.advice


def bounded(world: World) -> None:
    """Limit the role by a boundary that does not allow to read secrets."""
    arn = POLICY.replace("app-prod-read", "boundary")
    world.role["PermissionsBoundary"] = {"PermissionsBoundaryArn": arn}
    world.documents[arn] = {"Statement": [allow("kms:*", "*")]}
    world.simulated[READ] = {"EvalResourceDecision": "implicitDeny"}


def role_is_gone(world: World) -> None:
    """Delete the role that the task definition names."""
    world.revisions = {15: world.revision(executionRoleArn=f"arn:aws:iam::{ACCOUNT}:role/gone")}
    world.gone = "gone"


def setting(attribute: str, value: object) -> Callable[[World], None]:
    """Return what changes one thing of the account."""
    return lambda world: setattr(world, attribute, value)


OTHER_KEY = {"Statement": [allow("kms:*", "*", Principal={"AWS": "999988887777"})]}
NO_SECRET = {15: World.revision(SECRET.replace("AbCdEf", "XyZxYz"))}


@pytest.mark.parametrize(
    ("change", "found", "remedy"),
    [
        pytest.param(lambda world: without(world, READ), "no statement allows it", READ, id="identity"),
        pytest.param(lambda world: without(world, DECRYPT), "no statement allows it", DECRYPT, id="key-permission"),
        pytest.param(bounded, "permissions boundary", "boundary", id="boundary"),
        pytest.param(
            setting("secret_policy", {"Statement": [allow("*", "*", "Deny", Principal="*")]}),
            "denies it",
            "policy",
            id="secret-policy",
        ),
        pytest.param(setting("key_policy", OTHER_KEY), "does not allow", "kms", id="key-policy"),
        pytest.param(
            lambda world: world.secret.update(DeletedDate=AFTER),
            "marked for deletion, DeletedDate 2026-11-24",
            "aws secretsmanager restore-secret",
            id="deletion",
        ),
        pytest.param(setting("versions", {}), "without a value", "put-secret-value", id="no-value"),
        pytest.param(
            lambda world: reads(world, "::AWSPREVIOUS:"), "the stages AWSCURRENT", "name a stage", id="no-stage"
        ),
        pytest.param(
            lambda world: reads(world, ":::0a1b"), "the stages AWSCURRENT", "name a stage or a version", id="no-version"
        ),
        pytest.param(setting("key_state", "Disabled"), "it is Disabled", "aws kms enable-key", id="key-off"),
        pytest.param(
            setting("key_state", "PendingDeletion"), "it is PendingDeletion", "cancel-key-deletion", id="key-deletion"
        ),
        pytest.param(setting("revisions", NO_SECRET), "there is no such secret", "create the secret", id="no-secret"),
        pytest.param(lambda world: reads(world, ":key"), ":key", "all three colons", id="malformed"),
        pytest.param(
            setting("revisions", {15: World.revision(executionRoleArn=None)}),
            "no execution role",
            "execution_role_arn",
            id="no-role",
        ),
        pytest.param(role_is_gone, "there is no role", "create the role", id="role-is-gone"),
    ],
)
def test_broken_link(tmp_path: Path, change: Callable[[World], None], found: str, remedy: str) -> None:
    """Each link that breaks is the one finding, with what fixes it."""
    world = World()
    change(world)
    finding = chain(tmp_path, world)
    assert finding.verdict is VIOLATED
    assert found in finding.found
    assert remedy in finding.remedy


@pytest.mark.parametrize("suffix", ["::AWSPREVIOUS:", ":::v0"])
def test_version_that_exists(tmp_path: Path, suffix: str) -> None:
    """A stage or a version that the secret has is read."""
    world = World()
    world.versions = {"v1": ["AWSCURRENT"], "v0": ["AWSPREVIOUS"]}
    reads(world, suffix)
    assert chain(tmp_path, world).verdict is PROVEN


def test_an_arn_without_its_suffix_may_be_found(tmp_path: Path) -> None:
    """Secrets Manager looks for a secret by a partial ARN: it is not certain that it cannot be read."""
    world = World()
    world.revisions = {15: world.revision(SECRET.removesuffix("-AbCdEf"))}
    world.documents[POLICY]["Statement"][0] = allow(READ, f"{SECRET.removesuffix('-AbCdEf')}*")
    finding = chain(tmp_path, world)
    assert finding.verdict is UNDETERMINED
    assert "Secrets Manager may find the secret without it" in finding.reason


def test_a_key_whose_primary_region_changes_can_be_used(tmp_path: Path) -> None:
    """The state Updating passes, and interrupts nothing."""
    world = World()
    world.key_state = "Updating"
    assert chain(tmp_path, world).verdict is PROVEN


def test_json_key_that_was_not_looked_at(tmp_path: Path) -> None:
    """Without a look at the value the chain holds, and the finding says that the key is not known."""
    world = World()
    reads(world, ":password::")
    finding = chain(tmp_path, world)
    assert (finding.verdict, finding.advice) == (PROVEN, True)
    assert "whether the value has the JSON key password" in finding.reason
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": AFTER}
    assert not chain(tmp_path, world).advice
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": BEFORE}
    assert chain(tmp_path, world).advice


@pytest.mark.parametrize(
    ("look", "verdict", "advice"),
    [
        (Look(("user", "password")), PROVEN, False),
        (Look(("user",)), VIOLATED, False),
        (Look(), VIOLATED, False),
        (Look(is_readable=False), PROVEN, True),
    ],
)
def test_json_key_that_was_looked_at(tmp_path: Path, look: Look, verdict: Verdict, *, advice: bool) -> None:
    """Where the contract allows a look at the value, the key is there or it is not."""
    world = World()
    reads(world, ":password::")
    finding = chain(tmp_path, world, look)
    assert (finding.verdict, finding.advice) == (verdict, advice)


def doubtful(world: World) -> None:
    """Let the permission depend on a tag of the role."""
    world.documents[POLICY]["Statement"][0] = allow(READ, SECRET, Condition=ELSEWHERE)


def test_simulated(tmp_path: Path) -> None:
    """What only the simulator allows is not proven, and says so."""
    world = World()
    doubtful(world)
    finding = chain(tmp_path, world)
    assert finding.verdict is UNDETERMINED
    assert finding.found.startswith("SIMULATED")
    world.simulated[READ] = {"MissingContextValues": ["aws:PrincipalTag/team"]}
    finding = chain(tmp_path, world)
    assert finding.found.startswith("UNDETERMINED")
    assert "was not given aws:PrincipalTag/team" in finding.reason


def test_running_task_proves(tmp_path: Path) -> None:
    """A task that read the value after the last change of secret and policy proves what no document decides."""
    world = World()
    doubtful(world)
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": AFTER}
    finding = chain(tmp_path, world)
    assert finding.verdict is PROVEN
    assert "the task 1 read it when it started, 2026-11-24 00:00 UTC" in finding.reason
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": BEFORE}
    assert chain(tmp_path, world).verdict is UNDETERMINED


def test_running_task_proves_nothing_of_undated_policies(tmp_path: Path) -> None:
    """An inline policy has no date: it may have changed since the task started."""
    world = World()
    without(world, READ)
    world.simulated = {}
    world.inline = {"read": {"Statement": [allow(READ, SECRET, Condition=ELSEWHERE)]}}
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": AFTER}
    assert chain(tmp_path, world).verdict is UNDETERMINED


def test_running_task_does_not_hide_a_denial(tmp_path: Path) -> None:
    """The next task fails, whatever the running one could do."""
    world = World()
    without(world, READ)
    world.tasks = {"arn:aws:ecs:eu-west-1:111122223333:task/app/1": AFTER}
    assert chain(tmp_path, world).verdict is VIOLATED


def _denied_by_identity(world: World) -> None:
    world.simulated[READ] = {"EvalResourceDecision": "explicitDeny", "MatchedStatements": [{"SourcePolicyId": "stop"}]}


def _allowed_without_statement(world: World) -> None:
    without(world, READ)
    world.simulated = {}


def _organization(world: World) -> None:
    world.organization = False


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            _denied_by_identity,
            "IAM's simulator says explicitDeny of secretsmanager:GetSecretValue, our decision allowed",
        ),
        (
            _allowed_without_statement,
            "IAM's simulator says allowed of secretsmanager:GetSecretValue, our decision denied",
        ),
        (_organization, "service control policies"),
    ],
)
def test_disagreement(tmp_path: Path, change: Callable[[World], None], said: str) -> None:
    """Where simulator and decision differ, and nothing explains it, neither is taken for the truth."""
    world = World()
    change(world)
    finding = chain(tmp_path, world)
    assert finding.verdict is UNDETERMINED
    assert said in finding.reason


def test_explained_disagreement(tmp_path: Path) -> None:
    """The simulator does not see the policy of the secret, which lets the role in by itself."""
    world = World()
    without(world, READ)
    world.secret_policy = {"Statement": [allow(READ, "*", Principal={"AWS": ROLE})]}
    finding = chain(tmp_path, world)
    assert finding.verdict is PROVEN
    assert "policies of secrets and keys are not simulated" in finding.reason


@pytest.mark.parametrize(
    ("constraints", "verdict"),
    [
        ({}, PROVEN),
        ({"EncryptionContextSubset": {"SecretARN": SECRET}}, PROVEN),
        ({"EncryptionContextEquals": {"SecretARN": SECRET.replace("db", "jwt")}}, VIOLATED),
    ],
)
def test_grant_of_the_key(tmp_path: Path, constraints: dict[str, object], verdict: Verdict) -> None:
    """A grant of the key lets the role decrypt what its constraints allow; without it the role cannot."""
    world = World()
    without(world, DECRYPT)
    assert chain(tmp_path, world).verdict is VIOLATED
    world.grants = [{"GranteePrincipal": ROLE, "Operations": ["Decrypt"], "Constraints": constraints}]
    assert chain(tmp_path, world).verdict is verdict


def test_secret_of_another_account(tmp_path: Path) -> None:
    """Of a secret of another account its state is not known."""
    world = World()
    theirs = SECRET.replace(ACCOUNT, "123456789012")
    world.revisions = {15: world.revision(theirs)}
    world.documents[POLICY]["Statement"] = [allow("*", "*")]
    assert chain(tmp_path, world).verdict is UNDETERMINED


def test_key_is_asked_for_with_its_context(tmp_path: Path) -> None:
    """The simulator is told for which secret, and through which service, the key is used."""
    world = World()
    calls, written = world.answers(), source(tmp_path)
    plan = live_plan(calls, written, contract(), "prod")
    chain_evidence(calls, plan, task_definitions(plan), contract(), "prod")
    told = [asked["ContextEntries"] for _, name, asked in calls.asked if name == "simulate_principal_policy"]
    keys = [{entry["ContextKeyName"]: entry["ContextKeyValues"][0] for entry in entries} for entries in told]
    assert {
        "aws:RequestedRegion": "eu-west-1",
        "kms:CallerAccount": ACCOUNT,
        "kms:EncryptionContext:SecretARN": SECRET,
        "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
    } in keys
    assert KEY in [arn for _, name, asked in calls.asked if "simulate" in name for arn in asked["ResourceArns"]]


def refused(action: str) -> Callable[..., None]:
    """Return the answer of a key whose policy keeps the runner out."""

    def answer(**_: object) -> None:
        found = f"AccessDeniedException: no resource-based policy allows the kms:{action} action"
        raise ResourceRefusalError(f"the runner may not kms:{action}", found=found, remedy=f"allow kms:{action} there")

    return answer


def chains(directory: Path, world: World, **answers: object) -> list[Finding]:
    """Return the findings about the values, where AWS answers something else."""
    calls, written = world.answers(**answers), source(directory)
    plan = live_plan(calls, written, contract(), "prod")
    definitions = task_definitions(plan)
    evidence = chain_evidence(calls, plan, definitions, contract(), "prod")
    return check_secret_chain(plan, definitions, evidence, contract(), "prod")


SHUT = {
    "kms__describe_key": refused("DescribeKey"),
    "kms__get_key_policy": refused("GetKeyPolicy"),
    "kms__list_grants": refused("ListGrants"),
}


@pytest.mark.parametrize(
    ("hidden", "verdict", "found"),
    [
        (SHUT, UNDETERMINED, "kms:DescribeKey"),
        ({"kms__get_key_policy": SHUT["kms__get_key_policy"]}, UNDETERMINED, "kms:GetKeyPolicy"),
        ({"kms__describe_key": SHUT["kms__describe_key"]}, UNDETERMINED, "kms:DescribeKey"),
        ({"kms__list_grants": SHUT["kms__list_grants"]}, PROVEN, ""),
        ({"secretsmanager__describe_secret": refused("DescribeSecret")}, UNDETERMINED, "kms:DescribeSecret"),
    ],
)
def test_a_key_that_keeps_the_runner_out_is_undetermined(
    tmp_path: Path, hidden: dict[str, object], verdict: Verdict, found: str
) -> None:
    """It says what keeps it out; that its grants are hidden matters only where no policy lets the role in."""
    (finding,) = chains(tmp_path, World(), **hidden)
    assert verdict is finding.verdict
    assert found in finding.found
    if verdict is UNDETERMINED:
        assert "it may deny that role as well" in finding.reason
        assert finding.remedy == f"allow {found} there"


def test_a_secret_whose_policy_is_hidden_is_undetermined(tmp_path: Path) -> None:
    """It may deny what the role is allowed."""
    (finding,) = chains(tmp_path, World(), secretsmanager__get_resource_policy=refused("GetResourcePolicy"))
    assert (UNDETERMINED, True) == (finding.verdict, "denies the runner" in str(finding))


def test_grants_that_are_hidden_may_let_in_a_role_that_no_policy_does(tmp_path: Path) -> None:
    """The key's policy is known and does not, which a grant may change."""
    world = World()
    world.key_policy = OTHER_KEY
    (finding,) = chains(tmp_path, world, kms__list_grants=refused("ListGrants"))
    assert (UNDETERMINED, True) == (finding.verdict, "kms:ListGrants" in finding.found)


def test_what_is_denied_is_violated_whatever_a_key_hides(tmp_path: Path) -> None:
    """A role that may not read the secret may not, and a value beside it is judged by itself."""
    world = World()
    without(world, READ)
    (finding,) = chains(tmp_path, world, **SHUT)
    assert (VIOLATED, True) == (finding.verdict, READ in finding.expected)


def test_a_key_of_another_region_is_asked_for_there(tmp_path: Path) -> None:
    """It is not missing because the region of the run has none of its id."""
    there, key = (text.replace("eu-west-1", "us-east-1") for text in (SECRET, KEY))
    world = World()
    world.revisions = {15: world.revision(there)}
    known = contract(known={"aws_secretsmanager_secret.kms_key_id": key})
    calls = world.answers(secretsmanager__describe_secret={"ARN": there, "VersionIdsToStages": {"v1": ["AWSCURRENT"]}})
    plan = live_plan(calls, source(tmp_path), known, "prod")
    assert plan.managed("aws_kms_key")
    calls.asked.clear()
    chain_evidence(calls, plan, task_definitions(plan), known, "prod")
    asked = {name: parameters.get("region") for service, name, parameters in calls.asked if service == "kms"}
    assert {"describe_key": "us-east-1", "get_key_policy": "us-east-1", "list_grants": "us-east-1"} == asked
