import pytest
from msgspec.structs import replace

from infraspec.core.finding import Location, Verdict
from infraspec.reporting.run.results import Count, Entry
from infraspec.reporting.run.results_builder import causes, fixed_since
from tests.reporting.results import ENTRIES, PROVEN, QUEUE, RESULTS, entry

BASE = replace(RESULTS, findings=ENTRIES[:1])


@pytest.mark.parametrize(
    ("others", "groups"),
    [
        ([entry(environment="prod", remedy=QUEUE.remedy.replace("dev", "prod"))], [2]),
        ([entry(environment="prod", reason=f"{QUEUE.reason} in prod of 123456789012")], [1, 1]),
        ([entry(address="aws_sqs_queue.other", subject="")], [2]),
        ([entry(address="aws_sqs_queue.other", reason="another")], [1, 1]),
        ([entry(remedy="another")], [1, 1]),
        ([entry(rule="tags")], [1, 1]),
        ([entry(verdict=Verdict.UNDETERMINED)], [1, 1]),
        ([entry(state="warning")], [1, 1]),
    ],
)
def test_same_reason_and_remedy_are_one_cause(others: list[Entry], groups: list[int]) -> None:
    """Findings of one rule are one cause if reason and remedy are the same."""
    assert groups == [len(cause.entries) for cause in causes([entry(), *others])]


def test_names_and_accounts_of_environments_make_no_difference() -> None:
    """What differs in the environment's name and account alone has one cause; parts of words are no names."""
    remedies = {"dev": "dev-x Dev 111122223333", "prod": "prod-x Prod 123456789012", "stage": "development 1"}
    entries = [entry(environment=name, remedy=text) for name, text in remedies.items()]

    assert [("dev", "prod"), ("stage",)] == [cause.environments for cause in causes(entries)]


def test_findings_without_a_reason_are_not_lumped_together() -> None:
    """A rule of one's own that gives neither reason nor remedy has a cause for each subject."""
    bare = [entry(reason="", remedy="", address=address) for address in ("a", "b")]

    assert 2 == len(causes(bare))


def test_violations_come_first() -> None:
    """Undetermined findings come after violations, whatever the order was."""
    found = causes([entry(verdict=Verdict.UNDETERMINED), entry(rule="tags")])

    assert [Verdict.VIOLATED, Verdict.UNDETERMINED] == [cause.finding.verdict for cause in found]


def test_what_the_base_has_not_is_new() -> None:
    """New findings come first; lines do not matter; a doubt that became a violation is new, the reverse is not."""
    moved = entry(location=Location("modules/jobs/main.tf", 99))
    doubted = replace(BASE, findings=(entry(verdict=Verdict.UNDETERMINED),))

    assert [True, False] == [cause.is_new for cause in causes([moved, ENTRIES[1], ENTRIES[3]][::2], BASE)]
    assert [False] == [cause.is_new for cause in causes([moved], BASE)]
    assert [True] == [cause.is_new for cause in causes([moved], doubted)]
    assert [False] == [cause.is_new for cause in causes([entry(verdict=Verdict.UNDETERMINED)], BASE)]
    assert [False] == [cause.is_new for cause in causes([moved])]


def test_mended_is_what_was_looked_for_and_not_found() -> None:
    """A finding of the base counts as fixed only if its rule ran in its environment."""
    tags = replace(PROVEN, counts=(Count("dev", "tags", 3, 0, 0, 0),))

    assert BASE.findings == fixed_since(PROVEN, BASE)
    assert () == fixed_since(tags, BASE)
    assert () == fixed_since(RESULTS, BASE)
