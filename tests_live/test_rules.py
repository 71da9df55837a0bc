"""Each rule of the live suite holds, of what is deployed; what it asks AWS for is read here.

What a test asks for, and when it is skipped, is said where the rule is: in infraspec.core.rules and in its check.
"""

from collections.abc import Callable, Mapping, Sequence

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.secret_values import SecretValues
from infraspec.checks.access.secret_chain import ChainEvidence
from infraspec.checks.alarms.alarm_delivery import Subscriptions, alert_topics
from infraspec.checks.alarms.alarm_state import alarm_names
from infraspec.checks.deployed.database_readings import Observed
from infraspec.checks.deployed.databases import database_identifiers
from infraspec.checks.deployed.hosts import HostFacts
from infraspec.checks.deployed.inventory import Stray
from infraspec.checks.deployed.log_groups import log_group_names
from infraspec.checks.deployed.workload_state import Runs
from infraspec.contract.alarms import Alarms
from infraspec.contract.live import Host
from infraspec.contract.models import Contract
from infraspec.core.rule import Rule
from infraspec.core.rules import RULES
from infraspec.ecs.fleet import DeployedService, Fleet
from infraspec.ecs.fleet import declared_families as families_of
from infraspec.ecs.start import Refusal, StartFacts
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.live.facts.alarms import alarm_states as read_alarm_states
from infraspec.live.facts.alarms import live_subscriptions
from infraspec.live.facts.databases import live_databases
from infraspec.live.facts.hosts import host_facts
from infraspec.live.facts.schedules import last_runs
from infraspec.live.facts.secret_readings import chain_evidence
from infraspec.live.facts.services import running_task_definitions
from infraspec.live.facts.start_readings import start_facts
from infraspec.live.facts.stores import live_log_groups
from infraspec.live.facts.stores import state_store as read_state_store
from infraspec.live.plan import strays as find_strays
from infraspec.monitoring.live_readings import AlarmStates, LogGroup
from infraspec.pytest_plugin.rule_tests import RuleCheck, prove
from infraspec.terraform.configuration.settings import RootSettings
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


@pytest.fixture
def alarm_states(plan: Plan, snapshot: Calls, contract: Contract) -> AlarmStates:
    """Return what AWS says of the alarms of the source."""
    names = alarm_names(plan)
    if not names:
        pytest.skip("the source has no alarm")
    return read_alarm_states(snapshot, names, (contract.alarms or Alarms()).live.hours)


@pytest.fixture
def subscriptions(plan: Plan, live_plan: Plan, snapshot: Calls) -> Subscriptions:
    """Return who is subscribed to the topics that alarms and rules send to."""
    if not plan.managed("aws_sns_topic"):
        pytest.skip("the source has no topic")
    return live_subscriptions(snapshot, alert_topics(plan, live_plan))


@pytest.fixture
def observed_databases(plan: Plan, live_plan: Plan, snapshot: Calls, contract: Contract, environment: str) -> Observed:
    """Return what AWS says of the database instances of the source."""
    if not plan.managed("aws_db_instance"):
        pytest.skip("the source has no database instance")
    connects = environment in contract.databases.connect_from
    return live_databases(snapshot, database_identifiers(plan), live_plan, connect=connects)


@pytest.fixture
def runs(snapshot: Calls, live_plan: Plan) -> Runs:
    """Return how the last runs of rules and schedules ended."""
    return last_runs(snapshot, live_plan)


@pytest.fixture
def log_groups(plan: Plan, snapshot: Calls, task_definitions: Sequence[TaskDefinition]) -> Mapping[str, LogGroup]:
    """Return the log groups of the source and of its containers that AWS has."""
    names = log_group_names(plan, task_definitions)
    if not names and not plan.managed("aws_cloudwatch_log_group"):
        pytest.skip("the source has no log group, and no container logs to one")
    return live_log_groups(snapshot, names)


@pytest.fixture
def running_tasks(snapshot: Calls, live_plan: Plan) -> Mapping[str, frozenset[str] | Refusal]:
    """Return the task definitions of the tasks that run, by the address of their service, or why nobody may look."""
    return running_task_definitions(snapshot, live_plan)


@pytest.fixture
def strays(snapshot: Calls, plan: Plan, live_plan: Plan, contract: Contract, environment: str) -> Sequence[Stray]:
    """Return what belongs to the environment and is at no address of its source."""
    return find_strays(snapshot, plan, live_plan, contract, environment)


@pytest.fixture
def has_state(contract: Contract, environment: str) -> bool:
    """Return whether the source knows the ids that AWS assigned."""
    return contract.environments[environment].state is not None


@pytest.fixture
def secret_evidence(  # noqa: PLR0917 - fixtures
    snapshot: Calls,
    live_plan: Plan,
    live_task_definitions: Sequence[TaskDefinition],
    secret_values: SecretValues,
    contract: Contract,
    environment: str,
) -> ChainEvidence:
    """Return what AWS says of each secret on the way into a container."""
    return chain_evidence(snapshot, live_plan, live_task_definitions, contract, environment, shapes=secret_values)


@pytest.fixture
def declared_families(plan: Plan) -> frozenset[str]:
    """Return the families of task definitions of the source."""
    return families_of(plan)


@pytest.fixture
def start_readings(fleet: Fleet, snapshot: Calls) -> Sequence[tuple[DeployedService, StartFacts]]:
    """Return what the next task of each service would need, as AWS has it."""
    return [(service, start_facts(snapshot, service)) for service in fleet.services]


@pytest.fixture
def state_store(plan: Plan, snapshot: Calls, root_settings: Mapping[str, RootSettings], environment: str) -> Plan:
    """Return what AWS has of the backend of the environment."""
    settings = root_settings.get(environment)
    if settings is None or settings.backend.type != "s3":
        pytest.skip("the backend of the environment is not s3")
    return read_state_store(snapshot, plan, settings.backend)


@pytest.fixture
def hosts(contract: Contract, environment: str) -> Sequence[tuple[str, Host, HostFacts]]:
    """Return what the machines say that are reached without AWS."""
    own = [one for one in contract.hosts.items() if one[1].is_of(environment) and not one[1].is_reached_by_aws]
    if not own:
        pytest.skip("the contract has no [hosts] for the environment that are reached without AWS")
    return [(name, host, host_facts(name, host)) for name, host in own]


def _test_of(rule: Rule) -> Callable[[pytest.FixtureRequest], None]:
    check = RuleCheck.of(rule, "live")

    @pytest.mark.usefixtures("assert_proven", "contract", "environment", "plan")
    def test(request: pytest.FixtureRequest) -> None:
        prove(rule, check, request)

    test.__doc__ = rule.sentence
    setattr(test, rule.id, rule)  # so that -k takes the id as it is
    return test


globals().update({rule.test: _test_of(rule) for rule in RULES.values() if "live" in rule.suites})
