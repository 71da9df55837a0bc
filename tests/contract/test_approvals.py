"""Labels of a pull request as approvals."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from infraspec.contract.models import Contract
from infraspec.contract.waivers import approvals, labels_of_event
from infraspec.core.errors import EventError

TODAY = date(2026, 11, 25)


def contract(**table: object) -> Contract:
    """Return a contract with a table for the review."""
    content = {"project": {"application": "a"}, "environments": {"prod": {}}, "plan_review": table}
    return Contract.model_validate(content)


def test_a_label_waives_the_risks_it_stands_for() -> None:
    """Each risk of each label that is set is waived for today; a label that nobody knows does nothing."""
    made = contract(approvals={"a": ["iam-new", "iam-broad"], "b": ["open-ingress"]})
    found = approvals(made, ["a", "other"], TODAY)
    assert [(waiver.rule, waiver.address, waiver.reason, waiver.expires) for waiver in found] == [
        ("plan-review", "* iam-new", "label a", TODAY),
        ("plan-review", "* iam-broad", "label a", TODAY),
    ]


def test_a_contract_without_the_table_approves_nothing() -> None:
    """No table, no approvals."""
    bare = Contract.model_validate({"project": {"application": "a"}, "environments": {"prod": {}}})
    assert approvals(bare, ["a"], TODAY) == ()


@pytest.mark.parametrize(
    ("event", "labels"),
    [
        ({"pull_request": {"labels": [{"name": "a"}, {"name": "b c"}]}}, ("a", "b c")),
        ({"pull_request": {}}, ()),
        ({"pull_request": None}, ()),
        ({"ref": "refs/heads/main"}, ()),
    ],
)
def test_labels_come_from_the_event(event: object, labels: tuple[str, ...], tmp_path: Path) -> None:
    """The event of a pull request has its labels; that of a push has none."""
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event), encoding="utf-8")
    assert labels_of_event(path) == labels


@pytest.mark.parametrize("text", ["{", "[]", '{"pull_request": {"labels": [1]}}', '{"pull_request": 3}'])
def test_an_event_that_is_none_is_an_error(text: str, tmp_path: Path) -> None:
    """A file that cannot be read as an event is named, with the way around it."""
    path = tmp_path / "event.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(EventError, match=r"(?s)event\.json.*--infraspec-labels"):
        labels_of_event(path)
    with pytest.raises(EventError):
        labels_of_event(tmp_path / "none.json")
