import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace

from infraspec.core.finding import Verdict
from infraspec.reporting.github.comment import COMMENT_LIMIT, MARKER, comment
from infraspec.reporting.run.repository import Links
from infraspec.reporting.run.results import BaselineUse, Fixed, Results, encode, read, schema
from tests.reporting.results import ENTRIES, PROVEN, RESULTS, WAIVER, entry

SCHEMA = Path(__file__).parents[2] / "docs" / "infraspec-results.schema.json"
BASE = replace(RESULTS, findings=(*ENTRIES[:1], entry(address="aws_sqs_queue.gone")))


def written(results: Results = RESULTS, base: Results | None = None, limit: int = COMMENT_LIMIT) -> str:
    """Return the comment, without links."""
    return comment(results, base, Links(), limit)


def test_the_schema_in_the_documentation_is_that_of_the_release() -> None:
    """The command `make schema` was run."""
    assert schema() == json.loads(SCHEMA.read_text(encoding="utf-8"))


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    """The file holds all there is, and is valid by its schema."""
    path = tmp_path / "results.json"
    path.write_bytes(encode(RESULTS))

    assert RESULTS == read(path)
    Draft202012Validator.check_schema(schema())
    Draft202012Validator(schema()).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    "fragments",
    [
        [MARKER + "\n\n### ❌ infraspec: 3 violated, 1 undetermined, 1 broken\n"],
        ["shop (dev, prod): 18 proven, 3 violated, 1 undetermined, 1 waived. 3 causes in all."],
        ["| rule | dev | prod | repository |", "| `names` | ❌ 1 of 4 | ❌ 1 of 4 (1 waived) |  |", "| ⚠️ 1 of 8 |"],
        ["#### Broken: no verdict", "`test_own.py::test_own[dev]`: `PolicyError`", "p.json:3: no policy"],
        [
            "#### What `plan.json` changes in prod: 1 to review, 1 create",
            "❌ **stateful-destroy** `aws_db_instance.main`",
        ],
        ["<summary>1 changes without risk in prod</summary>", "- `aws_sqs_queue.new`: create"],
        ["#### Violated", '**`names`** `module.jobs.aws_sqs_queue.this attribute "name"`'],
        ["`modules/jobs/main.tf:7` · dev, prod", "- **expected:** shop-dev-\\*\n- **found:** jobs\n- **reason:**"],
        ["- **pattern:** `names.patterns.aws_sqs_queue` `infraspec.toml:12`"],
        ['**fix:** rename it:\n\n```hcl\nname = "shop-dev-jobs"\n```'],
        ["1 rule proven</summary>\n\n| rule | dev |\n|---|---|\n| `tags` | "],
        ["#### Undetermined\n\n**`process`** `.github/CODEOWNERS`", "**to know:** ask who may see it"],
        ['expires soon: `names` `aws_sqs_queue.old attribute "name"` (prod)', "until 2026-11-20 by team-data"],
        ["unused: waiver of tags for \\*", "<summary>1 waived</summary>"],
        ["<summary>1 rule skipped</summary>", "- `test_alarms` (dev): the contract has no \\[alarms\\]"],
        ["<sub>infraspec 0.1.0, commit 0123456789ab</sub>\n"],
    ],
)
def test_a_comment_says(fragments: list[str]) -> None:
    """Everything that a reviewer needs is there."""
    text = written()

    for fragment in fragments:
        assert fragment in text


def test_a_cause_is_said_once() -> None:
    """What two environments have alike is one entry, with both names."""
    assert 1 == written().count("the name does not begin with the application")


def test_all_is_well_in_few_lines() -> None:
    """What is proven is folded away."""
    text = written(PROVEN)

    assert "### ✅ infraspec: everything is proven\n" in text
    assert "proven</summary>\n\n| rule | dev |" in text
    assert "####" not in text


@pytest.mark.parametrize(
    ("results", "title"),
    [
        (replace(PROVEN, counts=()), "⚠️ infraspec: nothing was checked"),
        (replace(RESULTS, counts=()), "❌ infraspec: 1 broken"),
        (
            replace(
                PROVEN, counts=RESULTS.counts[4:], findings=(entry(verdict=Verdict.UNDETERMINED, state="warning"),)
            ),
            "⚠️ infraspec: 1 undetermined",
        ),
    ],
)
def test_the_title_is_no_better_than_the_results(results: Results, title: str) -> None:
    """A run that has seen nothing, or that is in doubt, has not passed."""
    assert f"### {title}\n" in written(results)


def test_advice_is_in_a_fold() -> None:
    """What is proven and could be better is no violation, and is there."""
    advice = entry(verdict=Verdict.PROVEN, state="advice", advice=True)

    assert "<summary>Advice: 1</summary>\n\n**`names`**" in written(replace(PROVEN, findings=(advice,)))


@pytest.mark.parametrize(("expires", "soon"), [("2026-11-30", True), ("2027-02-01", False)])
def test_the_baseline(expires: str, soon: bool) -> None:  # noqa: FBT001 - a case
    """Known findings are in a fold; what is fixed has the command that takes it out, and a near last day is said."""
    use = BaselineUse("known.json", expires, (Fixed("dev", "names", "aws_sqs_queue.old", "name"),))
    counts = (replace(PROVEN.counts[0], known=1),)
    text = written(replace(PROVEN, counts=counts, findings=(entry(state="known"),), baseline=use))

    assert "### ✅ infraspec: everything is proven or known\n" in text
    assert "1 of `known.json` are fixed: `infraspec report baseline --shrink known.json` removes them." in text
    assert f"<summary>1 known: 1 cause, until {expires}</summary>\n\n**`names`**" in text
    assert "<summary>1 fixed</summary>\n\n- `names` `aws_sqs_queue.old name` (dev)" in text
    assert soon is ("expires soon" in text)
    assert "| `names` | 3 (1 known) |" in text


def test_lapsed_waivers_are_named() -> None:
    """A finding whose waiver lapsed is a violation, and its waiver is to be looked at."""
    text = written(replace(PROVEN, findings=(entry(waiver=WAIVER),)))

    assert "#### Waivers to review\n\n- expired: `names`" in text


def test_a_part_of_the_suite_is_named_as_such() -> None:
    """A run of some tests says that it is no whole one."""
    assert "Only part of the suite" in written(replace(PROVEN, run=replace(PROVEN.run, complete=False)))
    assert "Only part of the suite" not in written(PROVEN)


def test_what_is_new_comes_first() -> None:
    """Against a base, new findings have a section before the others, and fixed ones are counted."""
    text = written(base=BASE)

    assert "Compared with the base (`0123456789ab`): 3 new, 1 fixed." in text
    assert text.index("#### New: violated") < text.index("#### Already in the base: violated")
    assert "<summary>1 fixed since the base</summary>\n\n- `names` `aws_sqs_queue.gone" in text


def test_a_long_comment_is_cut_where_it_matters_least() -> None:
    """Hundreds of causes of one rule fit into a comment and push no other rule's out; it says how many are left out."""
    many = [entry(address=f"aws_sqs_queue.q{n}", reason=f"reason {n} " + "x" * 300) for n in range(500)]
    last = entry(rule="versions", reason="a reason of its own")
    text = written(replace(RESULTS, findings=(*many, last)))

    assert COMMENT_LIMIT - 2000 < len(text) <= COMMENT_LIMIT
    assert "### ❌ infraspec" in text
    assert "1 skipped rules" in text
    assert re.search(r"Omitted.* \d\d\d causes of names \(violated\)", text)
    assert "reason 0 " in text
    assert "reason 499 " not in text
    assert "a reason of its own" in text


def test_the_same_results_give_the_same_comment() -> None:
    """A comment depends on the results alone."""
    assert written(base=BASE) == written(base=BASE)
