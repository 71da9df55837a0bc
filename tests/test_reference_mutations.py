"""Nothing that a rule claims to guard can be taken out of the reference infrastructure without a finding.

Each block, attribute, and item of an object or a list of the Terraform of prod is cut out of a copy, one at a time; the
rules look at what is left. A named error of the input counts as a finding: Terraform would stop there as well.
`UNGUARDED` lists what no rule claims to guard, and why. `pytest -s` shows the kill rate of each file. A usual run
cuts out one of nine; INFRASPEC_EDITS=all cuts out each.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.access.function_access import check_function_access
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_access import check_task_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tag_policy import check_tag_policy
from infraspec.checks.conventions.tags import check_selectors, check_tags
from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.checks.state.consistency import check_consistency
from infraspec.checks.state.source import check_source
from infraspec.checks.state.state_backend import check_state_backend
from infraspec.checks.state.state_bucket import check_state_bucket
from infraspec.checks.state.versions import check_versions
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.hcl.files import parse_file
from infraspec.process.playbooks import Playbook, read_playbooks
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.reference_parts import Part, parts, without
from tests.samples import some
from tools import golden as golden_results

REFERENCE = Path(__file__).parents[1] / "fixtures" / "daily-report-tool"
TERRAFORM = REFERENCE / "terraform"
PROD = "environments/prod"
POLICY = TagPolicy.from_json((REFERENCE / "organization/tag-policy.json").read_text("utf-8"), place="tag-policy.json")
VARIABLES = "variables.tf"
"""Left out: types, defaults and validations of variables limit what callers may pass, and say nothing of resources."""
NETWORK = "network"
"""Left out: what rules say of it — names, tags, the target group of the service — they say of the others too."""
FILES = sorted(
    path.relative_to(TERRAFORM).as_posix()
    for directory in (PROD, "modules")
    for path in (TERRAFORM / directory).rglob("*")
    if path.suffix in {".tf", ".tfvars", ".hcl"} and path.name != VARIABLES and path.parent.name != NETWORK
)
FIRST = {
    "versions.tf": "versions", "lock.hcl": "versions",
    "modules/state": "state-bucket", "modules/secretsmanager": "secret-access", "modules/iam": "secret-access",
    "modules/ecs": "task-definitions", "modules/labels": "tags", "modules/monitoring": "alarms",
    "modules/rds": "alarms",
    "jobs/schedule": "task-access", "jobs/functions": "function-access", "jobs/alarms": "names",
    PROD: "state-backend",
}  # fmt: skip
"""The rule that is asked first, since it is the most likely to find something."""
VALIDATE = "the provider requires it: rule `source` finds that, and no rule of what the infrastructure is for"
SIZE = "how a resource is sized, placed and kept is the team's choice; no requirement names it"
WIDER = "a rule that takes more events still takes those of the catalogue; false alarms show in weeks of data only"
SHOWN = "text for people"
DRILLED = "the catalogue of alarms does not ask for it; what it hears of, `infraspec drill` shows"
NETWORKING = "reachability is none of the requirements; `open-ingress` of plan-review judges what a change opens"
DEFAULT = "the default is as good for every rule"
UNREAD = "a variable without a value is unknown, which fails a rule only where it matters; Terraform asks for it"
APPLICATION = "what the application itself calls is not in a task definition; a live suite would see it"
UNGUARDED: Mapping[str, str] = {
    # environments/prod
    ".constraints": "Terraform writes it for people; the version is what is compared",
    "backend.s3.region": "the environment variable AWS_REGION gives it as well; init fails without",
    "imports.tf: *": "whether an object exists already is in the account; Terraform would create it, AWS refuses",
    "prod/outputs.tf: *": "outputs of a root module are for people and other tools",
    "terraform.tfvars: region": "the contract knows the region",
    "terraform.tfvars: image_tag": UNREAD,
    "terraform.tfvars: log_level": UNREAD,
    "terraform.tfvars: cidr_block": UNREAD,
    "terraform.tfvars: certificate_arn": UNREAD,
    "terraform.tfvars: existing_secret_arns*": UNREAD,
    "terraform.tfvars: chat*": UNREAD,
    ".available.state": DEFAULT,
    "provider.aws.region": "the contract knows the region",
    "provider.aws.allowed_account_ids": "who applies where is a matter of credentials",
    ".required_providers.aws.source": DEFAULT,
    # modules
    ".depends_on*": "the order of an apply is not in its result",
    ".description": SHOWN,
    "output.repository_url*": "an output that only outputs of the root use",
    "state/outputs.tf: *": "backend.tf has to repeat them: a backend takes no references",
    "output.endpoint.value": VALIDATE,
    "aws_vpc_security_group_*": NETWORKING,
    "aws_security_group.*.vpc_id": NETWORKING,
    "ecs/main.tf: resource.aws_ecr_repository.this.image_*": SIZE,
    ".retention_in_days": SIZE,
    "aws_ecs_cluster.this.setting*": SIZE,
    "aws_ecs_task_definition.this.requires_compatibilities": SIZE,
    "aws_ecs_task_definition.this.cpu": SIZE,
    "aws_ecs_task_definition.this.task_role_arn": "ECS asks for none: that there is none is advice",
    "aws_ecs_task_definition.this.memory": SIZE,
    ".container_definitions.0.name": "AWS refuses it at apply",
    ".container_definitions.0.image": "AWS refuses it at apply",
    ".container_definitions.0.essential": DEFAULT,
    ".container_definitions.0.readonlyRootFilesystem": "a general security scanner asks for it",
    ".container_definitions.0.portMappings*": APPLICATION,
    ".container_definitions.0.environment*": APPLICATION,
    ".container_definitions.0.secrets": APPLICATION,
    ".container_definitions.0.secrets.[0-9]": APPLICATION,
    "aws_ecs_service.this.[a-bd-mo-su-z]*": SIZE,
    "aws_ecs_service.this.task_definition": VALIDATE,
    "aws_ecs_service.this.network_configuration*": NETWORKING,
    ".sid": SHOWN,
    "publish_metrics.statement.condition*": APPLICATION,
    "aws_iam_policy.publish_metrics.policy": APPLICATION,
    "aws_iam_role_policy_attachment.task_metrics.*": APPLICATION,
    "assume_by_chatbot.statement.principals.*": "whether Slack is authorized is in no plan; only a live suite can try",
    "aws_iam_role.chat.assume_role_policy": "whether Slack is authorized is in no plan; only a live suite can try",
    "assume_by_runner.statement.condition": "the runner may assume it without the condition too",
    "aws_iam_role_policy.metrics.name": DEFAULT,
    "aws_chatbot_slack_channel_configuration.alerts.[a-rt-z]*": VALIDATE,
    "aws_chatbot_slack_channel_configuration.alerts.slack_*": VALIDATE,
    ".ok_actions": "that an alarm is over is told for convenience",
    "metric_alarm.[a-rt-z]*.alarm_description": "only a critical alarm, which somebody is woken by, names its playbook",
    "metric_alarm.secret_read_failures.alarm_description": "likewise",
    ".alarm_rule.1": "a second way to fire; each catalogue item has its own already",
    "metric_query.id": VALIDATE,
    "metric_query.label": SHOWN,
    "metric_alarm.database_connections.treat_missing_data": "the catalogue allows any treatment for it",
    "metric_alarm.deployment_success.treat_missing_data": "likewise",
    "metric_alarm.unhealthy_targets.treat_missing_data": "likewise",
    "metric_alarm.utilization.treat_missing_data": "likewise",
    "monitoring/service.tf: resource.aws_cloudwatch_metric_alarm.server_errors*": DRILLED,
    "monitoring/service.tf: resource.aws_cloudwatch_metric_alarm.latency*": DRILLED,
    "monitoring/database.tf: resource.aws_cloudwatch_metric_alarm.database_disk*": DRILLED,
    "events.tf: locals.rules.*.pattern.source": WIDER,
    "events.tf: locals.rules.*.pattern.detail-type": WIDER,
    "events.tf: locals.rules.*.pattern.resources": WIDER,
    "events.tf: locals.rules.*.pattern.detail": WIDER,
    "pattern.detail.eventName": WIDER,
    "pattern.detail.eventName.1": WIDER,
    "pattern.detail.requestParameters": WIDER,
    "pattern.detail.EventCategories": WIDER,
    "pattern.detail.SourceIdentifier": WIDER,
    "write_events.statement.principals.identifiers.0": "EventBridge writes by the other one",
    ".policy_name": VALIDATE,
    ".target_id": DEFAULT,
    "notifications.tf: data.aws_iam_policy_document.key.statement": "it is for people: alerts travel by the other",
    "notifications.tf: data.aws_iam_policy_document.key.statement.resources": "likewise",
    "notifications.tf: data.aws_iam_policy_document.key.statement.principals.*": "likewise",
    ".enable_key_rotation": SIZE,
    ".deletion_window_in_days": SIZE,
    "resource.aws_kms_alias.*.target_key_id": VALIDATE,
    "resource.aws_kms_alias.*[!e]": "an alias is a name for people; names judges those that are there",
    ".display_name": SHOWN,
    ".kms_master_key_id": "alerts arrive without encryption too",
    "topic.statement.condition": "alerts arrive without the condition too",
    ".endpoint_auto_confirms": SIZE,
    "aws_db_subnet_group.this.subnet_ids": VALIDATE,
    "aws_db_parameter_group.this.family": VALIDATE,
    "aws_db_parameter_group.this.parameter": "TLS to the database is none of the requirements",
    "aws_db_parameter_group.this.parameter.*": "likewise",
    ".lifecycle*": "what a plan destroys is asked about by plan-review, whatever the source says",
    "exports.for_each.1": "the log upgrade counts nothing",
    "aws_db_instance.this.engine": "known from the name; `terraform validate` asks for it",
    "aws_db_instance.*.[abdf-hj-oqsuv-z]*": SIZE,
    "aws_db_instance.*.copy_tags_to_snapshot": SIZE,
    "aws_db_instance.*.engine_version": SIZE,
    "aws_db_instance.*.instance_class": SIZE,
    "aws_db_instance.*.port": SIZE,
    "aws_db_instance.*.publicly_accessible": "`public-exposure` of plan-review judges the change",
    "aws_db_instance.replica.parameter_group_name": "the log of a replica counts nothing",
    "aws_kms_key.secrets.policy": DEFAULT,
    "aws_secretsmanager_secret.this.kms_key_id": "AWS's own key lets the role decrypt as well",
    "aws_secretsmanager_secret.this.recovery_window_in_days": DEFAULT,
    "aws_ssm_parameter.this.type": VALIDATE,
    "aws_ssm_parameter.this.value": VALIDATE,
    "aws_s3_bucket_ownership_controls.state*": DEFAULT,
    "aws_s3_bucket_lifecycle_configuration.state*": SIZE,
    "aws_dynamodb_table.lock.billing_mode": SIZE,
    "aws_dynamodb_table.lock.deletion_protection_enabled": SIZE,
    "aws_dynamodb_table.lock.point_in_time_recovery*": SIZE,
    "aws_dynamodb_table.lock.server_side_encryption*": DEFAULT,
    "jobs/alarms.tf: *": "the catalogue of alarms watches no functions, queues and schedules",
    "jobs/*: resource.aws_iam_role_policy.*.name": "Terraform chooses one",
    "functions.tf: resource.aws_lambda_function.this.[hrt][aiu]*": "how the code is run is the team's choice",
    "functions.tf: resource.aws_lambda_function.this.*file*": "what the code is, is the team's choice",
    "functions.tf: resource.aws_lambda_function.this.source_code_hash": "likewise",
    "aws_sqs_queue.*.*_seconds": SIZE,
    "aws_sqs_queue.exports.redrive_policy*": "what becomes of messages that fail is the team's choice",
    "aws_lambda_event_source_mapping.exports": "what a function reads is the team's choice",
    "aws_lambda_event_source_mapping.exports.event_source_arn": "a source that manages itself has none",
    "aws_lambda_permission.rotation.s*": "a permission without a source lets more callers in; Terraform chooses an id",
    "aws_secretsmanager_secret_rotation.this": "whether a secret is rotated is the team's choice",
    "aws_secretsmanager_secret_rotation.this.rotation_lambda_arn": "a secret that AWS manages is rotated without one",
    "aws_secretsmanager_secret_rotation.this.rotation_rules*": VALIDATE,
    "aws_lambda_function_url.status": "how a function is called is the team's choice",
    "target.ecs_parameters": "AWS refuses it at apply",
    "target.ecs_parameters.launch_type": DEFAULT,
    "network_configuration.security_groups": NETWORKING,
    "network_configuration.assign_public_ip": NETWORKING,
    "target.dead_letter_config": "what becomes of a task that does not start is the team's choice",
}
"""What no rule claims to guard, by the end of `file: path`, and why."""


class Copy:
    """A copy of the reference infrastructure, of which one file at a time is changed."""

    def __init__(self, root: Path) -> None:
        shutil.copytree(REFERENCE, root)
        self.root = root
        self.contract = contracts.load(root)
        environments = Environments(self.contract)
        environments.sources()
        environments.settings()
        self._parsed = dict(environments._library._known)
        self._files = dict(environments._library._files)

    def found(self, file: str, text: str, but: str = "") -> str:
        """Return the first rule, but for one, that finds something if a file has another text, or meets an error."""
        return next((rule for rule, found in self.judged(file, text) if found and rule != but), "")

    def judged(self, file: str, text: str) -> Iterator[tuple[str, list[Finding | InfraspecError]]]:
        """Yield each rule and what it finds if a file has another text; an error that it meets is found."""
        path = self.root / "terraform" / file
        before = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        environments = Environments(self.contract)
        patch = pytest.MonkeyPatch()
        patch.setattr(environments, "plan", failing_once(environments.plan))
        kept = {name: read for name, read in self._parsed.items() if name[0] != path.parent.resolve()}
        environments._library._known.update(kept)
        environments._library._files.update({name: file for name, file in self._files.items() if name != str(path)})
        first = next((rule for part, rule in FIRST.items() if part in file), "")
        try:
            yield from ((rule, judged_by(rule, environments)) for rule in sorted(RULES, key=lambda rule: rule != first))
        finally:
            patch.undo()
            path.write_text(before, encoding="utf-8")


def failing_once(plan: Callable[[str], Plan]) -> Callable[[str], Plan]:
    """Return a function that meets an error once and raises it again: it is read from the same files."""
    met: dict[str, InfraspecError] = {}

    def made(environment: str) -> Plan:
        if environment in met:
            raise met[environment]
        try:
            return plan(environment)
        except InfraspecError as error:
            met[environment] = error
            raise

    return made


def judged_by(rule: str, environments: Environments) -> list[Finding | InfraspecError]:
    """Return what a rule finds, PROVEN left out, or the error that it meets."""
    try:
        return [finding for finding in RULES[rule](environments) if finding.verdict is not Verdict.PROVEN]
    except InfraspecError as error:
        return [error]


def golden(work: Path) -> Iterator[tuple[str, Callable[[], list[golden_results.Json]]]]:
    """Yield each edit that is to be found, for tools/golden.py: all that every rule finds, PROVEN left out."""
    copy = Copy(work / "infra")
    for file in FILES:
        text = parts_of(file)[0]
        yield from ((case(file, part), partial(everything, copy, file, without(text, part))) for part in guarded(file))


def case(file: str, part: Part) -> str:
    """Return the name of the edit that cuts out a part."""
    return f"{file}: {part.path}"


def everything(copy: Copy, file: str, text: str) -> list[golden_results.Json]:
    """Return what every rule finds; what several rules find is told once, with the rules that were asked."""
    told: dict[str, golden_results.Json] = {}
    for rule, found in copy.judged(file, text):
        for one in map(golden_results.finding_json, found):
            told.setdefault(str(one), {**one, "asked": []})["asked"].append(rule)
    return [{**one, "asked": sorted(one["asked"])} for one in told.values()]


def of_tasks(environments: Environments) -> list[Finding]:
    """Return the findings about task definitions."""
    plan = environments.plan("prod")
    return check_task_definitions(plan, task_definitions(plan), environments.contract, "prod")


def of_access(environments: Environments) -> list[Finding]:
    """Return the findings about what roles may do."""
    plan = environments.plan("prod")
    return check_secret_access(plan, task_definitions(plan), environments.contract, "prod")


def of_policies(environments: Environments) -> list[Finding]:
    """Return the findings about policy documents."""
    plan = environments.plan("prod")
    return check_policies(plan, task_definitions(plan), environments.contract, "prod")


@cache
def playbooks(directory: Path) -> tuple[Playbook, ...]:
    """Return the playbooks of a repository."""
    return read_playbooks(directory / "docs/playbooks", "docs/playbooks")


def of_selectors(environments: Environments) -> list[Finding]:
    """Raise an error if the contract speaks of a type that is gone."""
    check_selectors(environments.plan("prod"), environments.contract)
    return []


RULES: Mapping[str, Callable[[Environments], Sequence[Finding]]] = {
    "selectors": of_selectors,
    "source": lambda e: check_source(e.plan("prod")),
    "task-definitions": of_tasks,
    "tags": lambda e: check_tags(e.plan("prod"), e.contract, "prod"),
    "tag-policy": lambda e: check_tag_policy(e.plan("prod"), e.contract, "prod", POLICY),
    "state-backend": lambda e: check_state_backend(e.settings(), e.contract, "prod"),
    "versions": lambda e: check_versions(e.settings()["prod"], e.contract),
    "state-bucket": lambda e: check_state_bucket(e.plan("prod"), e.settings()["prod"]),
    "secret-access": of_access,
    "task-access": lambda e: check_task_access(e.plan("prod"), e.contract, "prod"),
    "function-access": lambda e: check_function_access(e.plan("prod"), e.contract, "prod"),
    "invoke-access": lambda e: check_invoke_access(e.plan("prod"), e.contract, "prod"),
    "policies": of_policies,
    "secret-readers": lambda e: check_secret_readers(e.plan("prod"), e.contract, "prod"),
    "names": lambda e: check_names(e.plan("prod"), e.contract, "prod"),
    "consistency": lambda e: check_consistency(e.sources(), e.settings(), e.contract, "dev"),
    "alarms": lambda e: check_alarms(e.plan("prod"), e.contract, "prod", playbooks(e.contract.directory)),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """Yield a copy of the reference infrastructure."""
    copy = Copy(tmp_path_factory.mktemp("mutations") / "infra")
    gc.collect()
    gc.freeze()  # what is parsed stays: hundreds of plans are made beside it
    yield copy
    gc.unfreeze()


@cache
def parts_of(file: str) -> tuple[str, tuple[Part, ...]]:
    """Return the text of a file and its parts."""
    parsed = parse_file(TERRAFORM / file)
    return parsed.source.text, tuple(parts(parsed))


def reasons(file: str, part: Part) -> Iterator[str]:
    """Yield the entries of UNGUARDED that a part is one of."""
    yield from (entry for entry in UNGUARDED if fnmatchcase(f"{file}: {part.path}", f"*{entry}"))


def guarded(file: str) -> list[Part]:
    """Return the parts of a file that a rule claims to guard."""
    return [part for part in parts_of(file)[1] if not any(reasons(file, part))]


def test_the_reference_is_proven(copy: Copy) -> None:
    """Nothing is found before something is taken out."""
    file = f"{PROD}/main.tf"
    assert copy.found(file, parts_of(file)[0]) == ""


@pytest.mark.parametrize("file", FILES)
def test_what_is_cut_out_is_found(file: str, copy: Copy) -> None:
    """Every part that a rule claims to guard is missed by a rule, or by a named error, as fixtures/golden tells it."""
    text, all_parts = parts_of(file)
    kept = golden_results.kept("mutations")
    survivors, told = [], list[str]()
    tried = some(guarded(file), 9)
    for part in tried:
        asked = dict[str, list[golden_results.Json]]()
        for rule, found in copy.judged(file, without(text, part)):
            asked[rule] = golden_results.plain(found, copy.root.parent)
            if found:
                break
        else:
            survivors.append(part.path)
        told.append(golden_results.held(kept, f"test_reference_mutations: {case(file, part)}", asked))
    rate = f"{len(tried) - len(survivors)} of {len(tried)} found"
    print(f"{file}: {rate}; {len(all_parts) - len(guarded(file))} not guarded")  # noqa: T201 - the kill rate
    assert survivors == []
    assert "\n".join(filter(None, told)) == ""


@cache
def samples() -> Mapping[str, tuple[str, Part]]:
    """Return, by entry of UNGUARDED, the first part that it is about, and its file."""
    found: dict[str, tuple[str, Part]] = {}
    for file in FILES:
        for part in parts_of(file)[1]:
            for entry in reasons(file, part):
                found.setdefault(entry, (file, part))
    return found


def test_every_entry_is_about_a_part() -> None:
    """No entry of the table is about a part that is gone."""
    assert set(samples()) == set(UNGUARDED)


@pytest.mark.parametrize("file", sorted({file for file, _ in samples().values()}))
def test_what_is_not_guarded_is_not_found(file: str, copy: Copy) -> None:
    """What an entry of the table is about is missed by no rule but `source`: else the entry is to be taken out.

    What the provider requires `source` finds, whatever it is for. As many parts are cut out together as do not lie in
    one another; where that is found, each of them alone.
    """
    pending = sorted({part for where, part in samples().values() if where == file}, key=lambda part: part.start)
    while pending:
        text, end = parts_of(file)[0], 0
        cut: list[Part] = []
        for part in pending:
            if part.start >= end:
                cut.append(part)
                end = part.end
        for part in reversed(cut):
            text = without(text, part)
        if copy.found(file, text, but="source"):
            alone = {part.path: copy.found(file, without(parts_of(file)[0], part), but="source") for part in cut}
            assert not {path: rule for path, rule in alone.items() if rule}
        pending = [part for part in pending if part not in cut]
