"""Where a resource of a source is, for a run that asks one account and one region."""

from __future__ import annotations

import pytest

from infraspec.checks.common.live_comparison import Whereabouts, looked_at, nothing_judged
from infraspec.core.finding import Finding, Verdict
from infraspec.core.rules import DRIFT
from infraspec.core.truth import Truth
from infraspec.core.unknown import MissingVariable, Text, Unknown, Value
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.known_data import account_unknown, region_unknown

HERE, THERE, OTHER = "111122223333", "us-east-1", "222233334444"
TOPIC, ROLE, BUCKET, TARGET = "aws_sns_topic", "aws_iam_role", "aws_s3_bucket", "aws_cloudwatch_event_target"
YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE


def plan(**changes: Value) -> Plan:
    """Return a plan with aliases of another region, another account, and of nobody knows which."""
    given: dict[str, Value] = {"account": HERE, "region": "eu-west-1", **changes}
    return Plan("source .", ()).replaced(
        regions={
            "aws.virginia": THERE,
            "aws.shared": "eu-west-1",
            "aws.both": THERE,
            "aws.where": Unknown("var.region", MissingVariable("region")),
            "aws.part": Text(("us-", Unknown("var.side", MissingVariable("side")), "-1")),
            "aws.who": "eu-west-1",
        },
        accounts={
            "aws.virginia": given["account"],
            "aws.shared": OTHER,
            "aws.both": OTHER,
            "aws.where": given["account"],
            "aws.part": given["account"],
            "aws.who": account_unknown("aws.who"),
        },
        **given,
    )


def resource(type_: str, provider: str = "aws", **values: Value) -> Resource:
    """Return a resource of a provider configuration."""
    return Resource(f"{type_}.one", "managed", type_, "one", None, "", values, provider)


def whereabouts(given: Plan | None = None) -> Whereabouts:
    """Return what a run of one account and region knows."""
    return Whereabouts(AwsAttributes(given or plan()), HERE, "eu-west-1")


@pytest.mark.parametrize(
    ("one", "here", "elsewhere"),
    [
        (resource(TOPIC), YES, ""),
        (resource(TOPIC, "aws.virginia"), NO, THERE),
        (resource(TOPIC, region=THERE), NO, THERE),
        (resource(TOPIC, "aws.virginia", region="eu-west-1"), YES, ""),
        (resource(TOPIC, region=Unknown(f"{TOPIC}.one.region")), YES, ""),
        (resource(TOPIC, region=Unknown("var.region")), MAYBE, ""),
        (resource(TOPIC, "aws.where"), MAYBE, ""),
        (resource(TOPIC, "aws.part"), MAYBE, ""),
        (resource(TOPIC, "aws.shared"), NO, OTHER),
        (resource(TOPIC, "aws.both"), NO, f"{OTHER} {THERE}"),
        (resource(TOPIC, "aws.who"), MAYBE, ""),
        (resource(ROLE, "aws.virginia"), YES, ""),
        (resource(BUCKET, "aws.where"), YES, ""),
        (resource(ROLE, "aws.shared"), NO, OTHER),
        (resource(TOPIC, "aws.where", arn=f"arn:aws:sns:eu-west-1:{HERE}:a"), YES, ""),
        (resource(TOPIC, "aws.who", arn=f"arn:aws:sns:eu-west-1:{OTHER}:a"), NO, OTHER),
        (resource(TOPIC, arn=f"arn:aws:sns:{THERE}:{HERE}:a"), NO, THERE),
        (resource(BUCKET, "aws.shared", arn="arn:aws:s3:::a"), NO, OTHER),
        (resource(TARGET, arn=f"arn:aws:events:{THERE}:{OTHER}:event-bus/a"), YES, ""),
        (resource(TOPIC, "aws.virginia", arn=Unknown(f"{TOPIC}.one.arn")), NO, THERE),
    ],
)
def test_where_a_resource_is(one: Resource, here: Truth, elsewhere: str) -> None:
    """By the ARN that a state knows, else by its own region, its provider's, and the account of that."""
    assert (here, elsewhere) == (whereabouts().has(one), whereabouts().elsewhere(one))


def test_what_the_main_provider_does_not_tell_is_where_the_run_asks() -> None:
    """The run asks with the region and the account of the process; an alias with another one is elsewhere."""
    silent = plan(account=account_unknown("aws"), region=region_unknown("aws"))
    assert YES is whereabouts(silent).has(resource(TOPIC))
    assert NO is whereabouts(silent).has(resource(TOPIC, "aws.virginia"))


def test_one_that_asks_nowhere_finds_all_here() -> None:
    """As a plan does that is held against itself."""
    nowhere = Whereabouts(AwsAttributes(plan()), Unknown("a"), Unknown("b"))
    assert YES is nowhere.has(resource(TOPIC, "aws.both"))


def told(*providers: str) -> tuple[list[Resource], list[Finding]]:
    """Return which topics are looked at, and what is said of the others."""
    return looked_at(DRIFT, [resource(TOPIC, provider) for provider in providers], whereabouts())


def test_only_what_is_here_is_looked_at() -> None:
    """The others are one advice with their numbers."""
    here, (advice,) = told("aws", "aws.virginia", "aws.virginia", "aws.shared")
    assert ["aws"] == [one.provider for one in here]
    assert (True, Verdict.PROVEN) == (advice.advice, advice.verdict)
    assert "aws_sns_topic in 222233334444 (1), aws_sns_topic in us-east-1 (2)" == advice.found
    assert "account 111122223333, region eu-west-1" == advice.expected
    assert 'a copy of the contract whose environment has region = "us-east-1"' in advice.remedy


def test_another_account_is_not_asked_by_another_region() -> None:
    """The account of a contract is that of the provider without an alias."""
    _, (advice,) = told("aws.both")
    assert "to see what was changed of them: terraform plan -refresh-only" == advice.remedy


@pytest.mark.parametrize(
    ("provider", "found", "remedy"),
    [
        ("aws.where", "var.region is unknown", "give var.region a value"),
        ("aws.part", "var.side is unknown", "give var.side a value"),
        ("aws.who", "aws_caller_identity.account_id (aws.who) is unknown", "set allowed_account_ids of"),
    ],
)
def test_what_may_be_elsewhere_is_undetermined(provider: str, found: str, remedy: str) -> None:
    """What has its name here may be another one."""
    here, (finding,) = told(provider)
    assert ([], Verdict.UNDETERMINED, found) == (here, finding.verdict, finding.found)
    assert finding.remedy.startswith(remedy)


def test_a_rule_with_nothing_but_advice_has_judged_nothing() -> None:
    """What it says then is why."""
    assert "nothing is judged of aws_sns_topic in us-east-1 (1)" == nothing_judged(told("aws.virginia")[1])
    assert "" == nothing_judged(told("aws.virginia", "aws.where")[1])
    assert "" == nothing_judged([])
