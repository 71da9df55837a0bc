"""Arguments and comments are aligned as `terraform fmt` does it."""

import re
from pathlib import Path

import pytest

from infraspec.fixes.alignment import realigned

ROOT = Path(__file__).parents[2]
FORMATTED = sorted((ROOT / "fixtures/daily-report-tool").rglob("*.tf"))
"""Files as `terraform fmt` leaves them."""


@pytest.mark.parametrize("path", FORMATTED, ids=lambda path: "-".join(path.parts[-3:]))
def test_what_is_formatted_stays_so(path: Path) -> None:
    """A file that is formatted does not change; one whose blanks before signs are gone gets them again."""
    text = path.read_text(encoding="utf-8")
    squeezed = re.sub(r"^( *[\w\"-]+) +=(?= )", r"\1 =", text, flags=re.MULTILINE)
    every = range(text.count("\n") + 1)

    assert text == realigned(text, every)
    assert text == realigned(squeezed, every)


def test_neighbours_are_aligned_with_what_is_new() -> None:
    """The longer name of a new argument moves the signs and comments beside it, up to a bracket or an empty line."""
    before = "x {\n  a = 1 # one\n  bcd = 2 # two\n\n  e = {\n    f = 1\n  }\n  h = <<-EOT\n    i = 1\n  EOT\n}\n"
    after = "x {\n  a   = 1 # one\n  bcd = 2 # two\n\n  e = {\n    f = 1\n  }\n  h = <<-EOT\n    i = 1\n  EOT\n}\n"
    assert after == realigned(before, {2})


def test_what_was_not_aligned_stays() -> None:
    """Lines that nobody has formatted are not touched, and neither is a group beside the one that changes."""
    text = "a   = 1\nbc = 2\nnew = 3\n\nd   = 1\nef = 2\n"
    assert text == realigned(text, {2})
