"""Rule `names` over a plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from infraspec.checks.conventions.names import check_names
from infraspec.contract.models import Contract
from infraspec.core.errors import ContractError, InputErrorGroup, UnknownEnvironmentError
from infraspec.core.finding import Finding, Location, SourceChange, Verdict
from infraspec.core.unknown import Sensitive, Text, Unknown, concatenate
from infraspec.terraform.plan import Plan, Resource

DB = "{application}-{environment}-{engine}"
HIDDEN = Unknown("random_id.this.hex")
VALID = {
    "aws_secretsmanager_secret": ("name", "daily-report-tool-prod-database-v1"),
    "aws_iam_policy": ("name", "DailyReportSecretsManagerAccess-Prod"),
    "aws_ecs_cluster": ("name", "daily-report-tool-prod-cluster"),
    "aws_ecs_service": ("name", "daily-report-tool-prod-backend"),
    "aws_ecs_task_definition": ("family", "daily-report-tool-prod-backend"),
    "aws_db_instance": ("identifier", "daily-report-tool-prod-postgres"),
}
PATTERNS = {
    "aws_secretsmanager_secret": "{application}-{environment}-{resource-type}-{version}",
    "aws_iam_policy": "{Application}{Service}Access-{Environment}",
    "aws_ecs_cluster": "{application}-{environment}-cluster",
    "aws_ecs_service": "{application}-{environment}-{service}",
    "aws_ecs_task_definition": "{application}-{environment}-{service}",
    "aws_db_instance": DB,
}


def _contract(patterns: dict[str, Any], **names: Any) -> Contract:
    return Contract.model_validate(
        {
            "project": {"application": "daily-report-tool"},
            "environments": {"prod": {}, "tokyo": {"region": "ap-northeast-1", "account_id": "123456789012"}},
            "names": {"patterns": patterns, "placeholders": {"engine": "postgres|mysql"}, **names},
        }
    )


def _resource(type_: str, values: dict[str, Any], name: str = "this", **fields: Any) -> Resource:
    return Resource(
        f"{type_}.{name}", "managed", type_, name, None, "", values, location=Location("main.tf", 3), **fields
    )


def _check(patterns: dict[str, Any], *resources: Resource, environment: str = "prod", **fields: Any) -> list[Finding]:
    return check_names(Plan("test", resources, **fields), _contract(patterns), environment)


def _db(name: Any, **values: Any) -> Finding:
    return _check({"aws_db_instance": DB}, _resource("aws_db_instance", {"identifier": name, **values}))[0]


def test_the_names_of_the_requirements_are_proven() -> None:
    """Each example of the naming rules matches its pattern, read from the attribute of its type."""
    resources = [_resource(type_, {attribute: name}) for type_, (attribute, name) in VALID.items()]
    findings = _check(PATTERNS, *resources)
    assert {Verdict.PROVEN} == {finding.verdict for finding in findings}
    assert [r.address for r in resources] == [finding.address for finding in sorted(findings, key=_order(resources))]
    assert {name for _, name in VALID.values()} == {finding.found for finding in findings}


def _order(resources: list[Resource]) -> Any:
    addresses = [resource.address for resource in resources]
    return lambda finding: addresses.index(finding.address)


def test_a_wrong_name_is_violated_with_the_line_to_paste() -> None:
    """The finding says what was expected and found, where the name departs, where it is set, and what to write."""
    resource = _resource(
        "aws_db_instance",
        {"identifier": "daily-report-tool-prod-mysql5"},
        locate=lambda attribute: Location("main.tf", 7) if attribute == "identifier" else None,
    )
    expected = Finding(
        "names",
        Verdict.VIOLATED,
        "aws_db_instance.this",
        location=Location("main.tf", 7),
        expected=f"{DB}, here daily-report-tool-prod-(postgres|mysql)",
        found="daily-report-tool-prod-mysql5",
        reason="unexpected `mysql5`: expected {engine} (postgres|mysql)",
        remedy='identifier = "daily-report-tool-prod-mysql"',
        changes=(
            SourceChange(
                "arguments", "aws_db_instance.this", entries=(("identifier", '"daily-report-tool-prod-mysql"'),)
            ),
        ),
    )
    assert [expected] == _check({"aws_db_instance": DB}, resource)


def test_the_line_of_an_instance_is_said_to_be_that_of_all() -> None:
    """Instances of count and for_each share one line, so what is to paste is not the name of one of them."""
    made = replace(_resource("aws_db_instance", {"identifier": "daily-report-tool-prod-mysql5"}), key="a")
    (finding,) = _check({"aws_db_instance": DB}, made)
    said, line = finding.remedy.splitlines()
    assert said == f"# what the line that all instances share has to give for {made.address}"
    assert line == 'identifier = "daily-report-tool-prod-mysql"'


def test_without_a_suggestion_the_line_has_what_is_known() -> None:
    """If no valid name is near, the line to paste leaves open what the pattern leaves open."""
    assert _db("legacy").remedy == 'identifier = "daily-report-tool-prod-{engine}" # {engine}: postgres|mysql'


def test_unknown_names() -> None:
    """A name with an unknown part is violated if the known parts contradict, else UNDETERMINED, never proven."""
    assert _db(Text(("other-", HIDDEN))).verdict is Verdict.VIOLATED
    finding = _db(Text(("daily-report-tool-prod-", HIDDEN)))
    assert finding.verdict is Verdict.UNDETERMINED
    assert finding.found == "daily-report-tool-prod-${random_id.this.hex}"
    assert finding.reason == "it depends on ${random_id.this.hex}, which is unknown"
    assert 'identifier = "daily-report-tool-prod-{engine}"' in finding.remedy
    assert _db(HIDDEN).verdict is Verdict.UNDETERMINED


def test_names_the_provider_makes_up() -> None:
    """A name made from a prefix is judged by the prefix; without one nothing is known of it."""
    assert _db(None, identifier_prefix="db-").verdict is Verdict.VIOLATED
    finding = _db(None, identifier_prefix="daily-report-tool-prod-")
    assert finding.verdict is Verdict.UNDETERMINED
    assert finding.reason == "the provider makes the name up, or a part of it"
    assert _db(None).verdict is Verdict.UNDETERMINED


def test_a_sensitive_name_is_not_shown() -> None:
    """A sensitive name is UNDETERMINED, and nothing of it stands in the finding."""
    finding = _db(Sensitive("var.name", "topsecret"))
    assert finding.verdict is Verdict.UNDETERMINED
    assert "topsecret" not in str(finding) + repr(finding)


def test_a_name_in_the_tags() -> None:
    """A VPC's name is its tag Name: missing is violated, tags that are not known are UNDETERMINED."""
    patterns = {"aws_vpc": "{application}-{environment}"}
    several: list[dict[str, Any]] = [{"tags_all": {"Name": "daily-report-tool-prod"}}, {"tags": {}}, {"tags": HIDDEN}]
    verdicts = [_check(patterns, _resource("aws_vpc", values))[0].verdict for values in several]
    assert verdicts == [Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED]
    missing = _check(patterns, _resource("aws_vpc", {}))[0]
    assert (missing.found, missing.remedy) == ("no tags.Name", 'tags = { Name = "daily-report-tool-prod" }')


def test_a_name_that_is_no_text() -> None:
    """A list where a name belongs is violated and says so."""
    assert _db(["a"]).reason == "identifier holds a list, not text"


def test_several_patterns() -> None:
    """One of several patterns has to match, and the finding lists them all."""
    patterns = {"aws_db_instance": [DB, "regex:legacy-[0-9]+"]}
    assert _check(patterns, _resource("aws_db_instance", {"identifier": "legacy-7"}))[0].verdict is Verdict.PROVEN
    finding = _check(patterns, _resource("aws_db_instance", {"identifier": "legacy-x"}))[0]
    assert finding.expected.splitlines()[1] == "or regex:legacy-[0-9]+"
    assert finding.reason.endswith("in regex:legacy-[0-9]+")


def test_data_sources_and_other_types_are_no_subjects() -> None:
    """Only managed resources of the types that have patterns are judged."""
    data = Resource("data.aws_db_instance.x", "data", "aws_db_instance", "x", None, "", {"identifier": "x"})
    assert _check({"aws_db_instance": DB}, data, _resource("aws_sns_topic", {"name": "x"})) == []


def test_an_instance_of_unknown_count_is_judged() -> None:
    """An instance that stands for an unknown number of them is judged like any other."""
    resource = Resource(
        'aws_db_instance.x["?"]',
        "managed",
        "aws_db_instance",
        "x",
        "?",
        "",
        {"identifier": "daily-report-tool-prod-mysql"},
    )
    assert [f.verdict for f in _check({"aws_db_instance": DB}, resource)] == [Verdict.PROVEN]


def test_the_region_is_that_of_the_resource() -> None:
    """{region} is the region of the resource's provider, or its own argument; an unknown one settles nothing."""
    patterns = {"aws_s3_bucket": "{application}-{region}"}
    regions = {"aws": "eu-west-1", "aws.virginia": "us-east-1", "aws.other": Unknown("var.region")}

    def verdict(named: str, provider: str, **values: Any) -> Verdict:
        resource = _resource("aws_s3_bucket", {"bucket": f"daily-report-tool-{named}", **values}, provider=provider)
        return _check(patterns, resource, region="eu-west-1", regions=regions)[0].verdict

    assert verdict("eu-west-1", "aws") is Verdict.PROVEN
    assert verdict("us-east-1", "aws") is Verdict.VIOLATED
    assert verdict("us-east-1", "aws.virginia") is Verdict.PROVEN
    assert verdict("eu-west-1", "aws.virginia") is Verdict.VIOLATED
    assert verdict("us-east-1", "aws.other") is Verdict.UNDETERMINED
    assert verdict("eu-north-1", "aws", region="eu-north-1") is Verdict.PROVEN


def test_facts_come_from_the_contract_where_the_plan_has_none() -> None:
    """Region and account of the environment stand in; without them the finding says which line to add."""
    patterns = {"aws_s3_bucket": "{application}-{account_id}-{region}"}
    resource = _resource("aws_s3_bucket", {"bucket": "daily-report-tool-123456789012-ap-northeast-1"})
    assert _check(patterns, resource, environment="tokyo")[0].verdict is Verdict.PROVEN
    finding = _check(patterns, resource)[0]
    assert finding.verdict is Verdict.UNDETERMINED
    assert finding.remedy == '[environments.prod]\naccount_id = "…"\nregion = "…"'


def test_the_attribute_of_a_type_that_no_table_knows() -> None:
    """The contract's attribute wins, `name` is taken if there is one, and without either it is an error."""
    patterns = {"aws_new_thing": "{application}"}
    named = _resource("aws_new_thing", {"name": "daily-report-tool"})
    other = _resource("aws_new_thing", {"title": "daily-report-tool"})
    assert _check(patterns, named)[0].verdict is Verdict.PROVEN
    with pytest.raises(ContractError) as caught:
        _check(patterns, other)
    assert caught.value.place == "names.patterns.aws_new_thing"
    assert '[names.attributes]\naws_new_thing = "…"' in caught.value.remedy
    contract = _contract(patterns, attributes={"aws_new_thing": "title"})
    assert check_names(Plan("test", [other]), contract, "prod")[0].verdict is Verdict.PROVEN


def test_all_bad_patterns_are_reported_at_once() -> None:
    """Two bad patterns are two errors of one run, whether or not the plan has such resources."""
    with pytest.raises(InputErrorGroup) as caught:
        _check({"aws_db_instance": "{env}", "aws_sns_topic": "{"})
    assert [e.place for e in caught.value.errors] == ["names.patterns.aws_db_instance", "names.patterns.aws_sns_topic"]


def test_a_bad_pattern_has_its_line(tmp_path: Path) -> None:
    """Where the contract is a file, the place begins with the line of the pattern."""
    path = tmp_path / "infraspec.toml"
    path.write_text('[names.patterns]\n\naws_sns_topic = "{"\n', encoding="utf-8")
    contract = _contract({"aws_sns_topic": "{"}).model_copy(update={"path": path})

    with pytest.raises(ContractError) as caught:
        check_names(Plan("test", []), contract, "prod")

    assert f"{path}:3: names.patterns.aws_sns_topic" == caught.value.place


def test_an_environment_that_is_not_there() -> None:
    """An unknown environment is an error of its own kind."""
    with pytest.raises(UnknownEnvironmentError):
        _check({}, environment="qa")


@given(st.sampled_from(sorted(VALID)), st.integers(0, 40), st.integers(0, 40), st.booleans())
def test_hiding_a_part_never_contradicts(type_: str, start: int, end: int, spoil: bool) -> None:  # noqa: FBT001
    """Whatever part of a right or wrong name is hidden, the verdict is the known one or UNDETERMINED."""
    attribute, name = VALID[type_]
    name = name.replace("rod", "od") if spoil else name
    start, end = sorted((start, end))
    hidden = concatenate((name[:start], HIDDEN, name[end:]))
    known, open_ = (_check(PATTERNS, _resource(type_, {attribute: n}))[0].verdict for n in (name, hidden))
    assert known is (Verdict.VIOLATED if spoil else Verdict.PROVEN)
    assert open_ in {known, Verdict.UNDETERMINED}


def test_many_wrong_names_all_have_a_remedy() -> None:
    """Beyond a number of suggestions the line to fill in stands in, and no finding is left out."""
    resources = [_resource("aws_db_instance", {"identifier": f"db{i}"}, f"d{i}") for i in range(400)]
    findings = _check({"aws_db_instance": DB}, *resources)
    assert len(findings) == 400
    assert all(finding.remedy.startswith("identifier = ") for finding in findings)


def test_a_name_of_which_the_provider_makes_the_rest() -> None:
    """The line to write is the prefix's, and the part that the provider adds is said in words."""
    group = _resource("aws_security_group", {"name_prefix": "rds-client-prod"}, "db")
    (finding,) = _check({"aws_security_group": "{environment}-{name}"}, group)
    assert finding.found == "rds-client-prod… (the provider adds the rest)"
    assert finding.reason.startswith("unexpected `rds-client-prod… (the provider adds the rest)`")
    assert finding.remedy.startswith('name_prefix = "prod-{name}"')


def test_a_long_unknown_part_is_cut_short() -> None:
    """Of an expression that is not known its beginning is shown."""
    name = concatenate(("sms-role-", Unknown(f"module.app_config.{'x' * 80}.sms_config")))
    (finding,) = _check({"aws_iam_role": "{environment}-{name}"}, _resource("aws_iam_role", {"name": name}))
    assert finding.found == f"sms-role-${{module.app_config.{'x' * 42}…}}"


def test_an_alias_that_the_source_does_not_make_is_not_judged() -> None:
    """A colleague's alias of our key is not ours; a key that carries our tags and has a wrong name is."""
    arn = "arn:aws:kms:eu-west-1:111122223333:"
    alias = replace(_resource("aws_kms_alias", {"name": "alias/mine"}), address=f"{arn}alias/mine")
    key = replace(_resource("aws_kms_key", {"tags": {"Name": "mine"}}), address=f"{arn}key/1")
    findings = _check({"aws_kms_alias": "alias/{application}-*", "aws_kms_key": "{application}-*"}, alias, key)

    assert [(key.address, Verdict.VIOLATED)] == [(one.address, one.verdict) for one in findings]
