"""Results to make reports of."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from infraspec.core.finding import Finding, Location, Related, Verdict
from infraspec.reporting.run.results import Acceptance, Count, Entry, PlanFile, Problem, Results, Run, Skipped, State

RUN = Run(
    infraspec="0.1.0",
    time="2026-11-01T08:00:00+00:00",
    application="shop",
    contract="infraspec.toml",
    environments=("dev", "prod"),
    plans=(PlanFile("prod", "plan.json"),),
    commit="0123456789abcdef0123456789abcdef01234567",
    complete=True,
)
COUNTS = (
    Count("dev", "names", 3, 1, 0, 0),
    Count("dev", "tags", 4, 0, 0, 0),
    Count("prod", "names", 3, 1, 0, 1),
    Count("prod", "plan-review", 1, 1, 0, 0),
    Count("repository", "process", 7, 0, 1, 0),
)
QUEUE = Finding(
    "names",
    Verdict.VIOLATED,
    "module.jobs.aws_sqs_queue.this",
    'attribute "name"',
    Location("modules/jobs/main.tf", 7),
    expected="shop-dev-*",
    found="jobs",
    reason="the name does not begin with the application",
    remedy='rename it:\nname = "shop-dev-jobs"',
    related=(Related("pattern", "names.patterns.aws_sqs_queue", Location("infraspec.toml", 12)),),
)
OWNERS = Finding(
    "process",
    Verdict.UNDETERMINED,
    ".github/CODEOWNERS",
    found="@shop/ops | #12",
    reason="whether the team exists is not known",
    remedy="ask who may see it",
)
WAIVER = Acceptance("renaming recreates it", "team-data", "2026-11-20")


def entry(finding: Finding = QUEUE, environment: str = "dev", state: State = "failing", **changes: Any) -> Entry:
    """Return a finding of an environment, with some of its fields changed."""
    waiver = changes.pop("waiver", None)
    return Entry(environment, state, replace(finding, **changes), waiver)


ENTRIES = (
    entry(),
    entry(environment="prod", remedy='rename it:\nname = "shop-prod-jobs"'),
    entry(environment="prod", state="waived", address="aws_sqs_queue.old", waiver=WAIVER),
    Entry(
        "prod",
        "failing",
        Finding(
            "plan-review",
            Verdict.VIOLATED,
            "aws_db_instance.main",
            "stateful-destroy",
            found="destroy",
            reason="it holds data",
            remedy="keep it",
        ),
    ),
    Entry("prod", "proven", Finding("plan-review", Verdict.PROVEN, "aws_sqs_queue.new", found="create")),
    Entry("repository", "failing", OWNERS),
)
RESULTS = Results(
    version=1,
    run=RUN,
    counts=COUNTS,
    findings=ENTRIES,
    problems=(Problem("broken", "test_own.py::test_own[dev]", "dev", "PolicyError", "p.json:3: no policy"),),
    skipped=(Skipped("test_alarms.py::test_alarms[dev]", "dev", "the contract has no [alarms]"),),
    unused_waivers=("waiver of tags for * by team-data matches no finding in dev: take it out",),
)
PROVEN = Results(version=1, run=RUN, counts=(Count("dev", "names", 3, 0, 0, 0),), findings=())
