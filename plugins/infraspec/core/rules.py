"""The rules of infraspec: all that is known of each, in the order in which reports show them.

The check of a rule is in the module of `infraspec.checks` that is named as it, which is imported where the rule is
judged: reports, completion and the contract ask for what is here, and start without the checks.
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.core.rule import Rule, Suite

_LIVE: tuple[Suite, ...] = ("live",)
_BOTH: tuple[Suite, ...] = ("static", "live")

SOURCE = Rule(
    id="source",
    room="state",
    domain="Source",
    sentence="Validation blocks hold, and no module was left out for want of its source.",
    why=(
        "What Terraform would refuse, and what infraspec could not read, is said before anything is concluded from it."
    ),
    page="contract",
)
NAMES = Rule(
    id="names",
    room="conventions",
    suites=_BOTH,
    domain="Names and tags",
    severity="minor",
    sentence="Names follow the patterns of the contract by resource type.",
    why=(
        "People, alarms, policies and bills find resources by their names. Renaming is a replacement for many"
        " types, so a wrong name is cheap before the merge and dear after it."
    ),
    page="names-and-tags",
    tables=("names.patterns",),
)
TAGS = Rule(
    id="tags",
    room="conventions",
    suites=_BOTH,
    domain="Names and tags",
    severity="minor",
    sentence="Resources have the tags that the contract requires.",
    why="Costs, ownership and automation hang on tags, and what has none belongs to nobody.",
    page="names-and-tags",
    tables=("tags.common", "tags.resource"),
)
TAG_POLICY = Rule(
    id="tag-policy",
    room="conventions",
    suites=_BOTH,
    domain="Names and tags",
    severity="minor",
    sentence="Tags comply with the tag policy of AWS Organizations.",
    why="The tag policy of the organization is reported by AWS after the fact; here it is checked before.",
    page="names-and-tags",
)
TASK_DEFINITIONS = Rule(
    id="task-definitions",
    room="access",
    suites=_BOTH,
    domain="Task definitions",
    severity="critical",
    sentence="Task definitions are what ECS reads: references, roles and log configuration.",
    why=(
        "ECS takes a task definition as it is and fails at the start of the task. A `valueFrom` with a slip"
        " in it, a role that is not there or a container without a log is found when somebody is waiting."
    ),
    page="access",
)
SECRET_ACCESS = Rule(
    id="secret-access",
    room="access",
    suites=_BOTH,
    domain="IAM",
    severity="blocker",
    sentence="The roles of a task may read, pull, fetch and write what it needs to start.",
    why=(
        "A task whose execution role may not read one of its secrets does not start. No linter sees it: the"
        " role, the policy and the task definition are each well-formed."
    ),
    page="access",
    metric="permissions",
)
SECRET_CHAIN = Rule(
    id="secret-chain",
    room="access",
    suites=_LIVE,
    domain="Live services",
    severity="blocker",
    sentence="A task that starts now can read every value that its definition names.",
    why=(
        "Identity policy, boundary, resource policy, key, stage and pending deletion: one link that is"
        " missing, and the next task does not start."
    ),
    page="secret-chain",
    empty="no task definition reads a secret or parameter",
    metric="permissions",
)
POLICIES = Rule(
    id="policies",
    room="policies",
    suites=_BOTH,
    domain="IAM",
    severity="critical",
    sentence="Policy documents have effect and open nothing to everybody.",
    why=(
        "IAM accepts a policy that names actions and resources which do not exist or do not fit, and it then"
        " allows nothing, or everything."
    ),
    page="policies",
    empty="there are no policy documents",
    metric="permissions",
)
SECRET_READERS = Rule(
    id="secret-readers",
    room="policies",
    suites=_BOTH,
    domain="IAM",
    severity="critical",
    sentence="Nobody but whom the contract names may read a secret.",
    why=("Who may read a secret is the sum of identity policies, resource policies and keys. The rule adds it up."),
    page="policies",
    empty="there are no secrets",
    metric="permissions",
)
ALARMS = Rule(
    id="alarms",
    room="alarms",
    suites=_BOTH,
    domain="Alarms",
    severity="critical",
    sentence="Every service, database and secret is watched, and each alarm reaches its people.",
    why="An alarm that is missing, disabled, or sent to a topic that nobody reads is noticed by customers.",
    page="alarms",
    tables=("alarms",),
)
PLAN_REVIEW = Rule(
    id="plan-review",
    room="plan_review",
    domain="Plan review",
    severity="critical",
    sentence="What a plan destroys, opens up or allows has an approval.",
    why=(
        "A plan of hundreds of lines hides the one that destroys a database or opens a port. It is sorted by"
        " risk, and what is risky needs an approval."
    ),
    page="plan-review",
    tables=("plan_review",),
    keep_proven=True,
    of_one_plan=True,
)
NO_DIFF = Rule(
    id="no-diff",
    room="plan_review",
    domain="Plan review",
    sentence="A plan of what is deployed changes nothing.",
    why="What is deployed is what is written, or somebody has to know why not.",
    page="state-and-versions",
    of_one_plan=True,
)
STATE_BACKEND = Rule(
    id="state-backend",
    room="state",
    domain="State and versions",
    severity="critical",
    sentence="The state is remote, encrypted, locked, and no other environment's.",
    why=(
        "The state holds every secret value and is the memory of what exists; two environments that share one"
        " destroy each other."
    ),
    page="state-and-versions",
    tables=("state",),
)
STATE_BUCKET = Rule(
    id="state-bucket",
    room="state",
    domain="State and versions",
    sentence="The bucket of the state keeps versions, is encrypted and private.",
    why="A state that is lost, public or overwritten cannot be had again.",
    page="state-and-versions",
)
VERSIONS = Rule(
    id="versions",
    room="state",
    domain="State and versions",
    sentence="Terraform, providers and modules are pinned.",
    why="What is not pinned is another version tomorrow, on another machine.",
    page="state-and-versions",
    tables=("versions",),
)
CONSISTENCY = Rule(
    id="consistency",
    room="state",
    domain="Structure",
    sentence="The environments are made of the same modules and resources.",
    why="A fault that only production can have is found in production.",
    page="state-and-versions",
    tables=("consistency",),
)
MODULES = Rule(
    id="modules",
    room="state",
    domain="Structure",
    severity="minor",
    sentence="No resource lies outside of a module.",
    why="A resource beside the modules has none of what they guarantee.",
    page="state-and-versions",
    tables=("modules",),
)
PLAYBOOKS = Rule(
    id="playbooks",
    room="process",
    domain="Process",
    sentence="Every failure has a playbook.",
    why="At an incident nobody looks for the command to type.",
    page="process",
    tables=("playbooks",),
)
INCIDENTS = Rule(
    id="incidents",
    room="process",
    domain="Process",
    sentence="Every incident has a record.",
    why="What went wrong and was not written down goes wrong again.",
    page="process",
    tables=("incidents",),
)
PROCESS = Rule(
    id="process",
    room="process",
    domain="Process",
    sentence="Changes have a checklist, owners, tests and a review.",
    why="Reviews, owners and checks hold only if they cannot be left out.",
    page="process",
    tables=("process",),
)
ALARM_STATE = Rule(
    id="alarm-state",
    room="alarms",
    suites=_LIVE,
    domain="Alarms",
    severity="critical",
    sentence="Alarms are in AWS as the source says, are evaluated, and are not noise.",
    why=("An alarm in AWS may be another than the one in the source: edited, disabled, without data, or flapping."),
    page="live-operations",
)
ALARM_DELIVERY = Rule(
    id="alarm-delivery",
    room="alarms",
    suites=_LIVE,
    domain="Alarms",
    severity="critical",
    sentence="What alarms and events send to a topic gets through to people.",
    why="Between an alarm and a person lie a topic, its policy, its key and a subscription.",
    page="live-operations",
)
ROLLOUT = Rule(
    id="rollout",
    room="services",
    suites=_LIVE,
    domain="Live services",
    severity="blocker",
    sentence="Every service runs the revision that is meant, whole and healthy.",
    why=("A deployment that was rolled back looks like a success to everything that waits for a stable service."),
    page="live-services",
    tables=("rollout",),
    metric="deployments",
)
STOPPED_TASKS = Rule(
    id="stopped-tasks",
    room="services",
    suites=_LIVE,
    domain="Live services",
    severity="critical",
    sentence="No task has failed to start, or crashed, lately.",
    why=(
        "Why a task did not start is in a text that ECS keeps for an hour; it is sorted into ten causes, each"
        " with its playbook."
    ),
    page="live-services",
)
NEXT_START = Rule(
    id="next-start",
    room="services",
    suites=_LIVE,
    domain="Live services",
    severity="blocker",
    sentence="What the next task start needs is still there.",
    why=(
        "What runs proves the last start. Meanwhile an image may be gone, a secret scheduled for deletion, a"
        " role changed."
    ),
    page="live-services",
    metric="permissions",
)
DATABASES = Rule(
    id="databases",
    room="deployed",
    suites=_LIVE,
    domain="Databases",
    severity="critical",
    sentence="Databases run, are backed up, have room, and services reach them.",
    why="Backups, replicas and room are noticed when they are needed.",
    page="live-operations",
    tables=("databases",),
)
LOG_GROUPS = Rule(
    id="log-groups",
    room="deployed",
    suites=_LIVE,
    domain="Live operations",
    sentence="What keeps logs is in AWS what it has to be.",
    why="Logs that are not kept are missing when somebody asks what happened.",
    page="live-operations",
)
STATE_STORE = Rule(
    id="state-store",
    room="state",
    suites=_LIVE,
    domain="State and versions",
    severity="critical",
    sentence="What keeps Terraform's state is in AWS what it has to be.",
    why="The state bucket and lock table in AWS, as the source has them.",
    page="live-operations",
)
DRIFT = Rule(
    id="drift",
    room="deployed",
    suites=_LIVE,
    domain="Live operations",
    sentence="What AWS has is what the source, or its state, says.",
    why="What was changed by hand is undone by the next apply, or undoes it.",
    page="live-operations",
)
INVENTORY = Rule(
    id="inventory",
    room="deployed",
    suites=_LIVE,
    domain="Live operations",
    sentence="What belongs to an environment in AWS is in its source.",
    why="What nobody's source describes is nobody's to patch, pay for or delete.",
    page="live-operations",
    tables=("inventory",),
)
HOSTS = Rule(
    id="hosts",
    room="deployed",
    suites=_LIVE,
    domain="Live operations",
    sentence="Machines have the tools and reach the places that they have to.",
    why="Some things can only be seen from inside: a port that answers, a tool that is there.",
    page="live-operations",
)

RULES: Mapping[str, Rule] = {rule.id: rule for rule in tuple(globals().values()) if isinstance(rule, Rule)}
"""The rules by their ids."""


def rule_named(test: str) -> str:
    """Return the id of the rule that a function or a module of tests is named after: `test_secret_access`."""
    return test.removeprefix("test_").replace("_", "-")


def rule_of(id_: str) -> Rule:
    """Return a rule; one that infraspec does not have is a repository's own."""
    return RULES.get(id_) or Rule.own(id_)
