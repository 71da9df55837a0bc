import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from infraspec.core.finding import Location
from infraspec.reporting.document import code_span, escape, fence, table
from infraspec.reporting.github.comment import Section, fitted
from infraspec.reporting.run.repository import Links
from tests.reporting.results import RESULTS

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
LINE = st.text("a1 _*`~<>[]()#|\\!&@$:.-+{}\"'\n\t", max_size=30)
GITHUB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "shop/infra", "GITHUB_SHA": "f" * 40}


def shown(markdown: str) -> str:
    """Return the text that a reader sees."""
    return unescape(re.sub(r"<[^>]*>", "", MARKDOWN.renderInline(markdown).replace("<!-- -->", "")))


@given(LINE)
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    """Whatever a finding says reads the same in Markdown."""
    assert " ".join(text.split()) == shown(f"**found:** {escape(text)}").removeprefix("found: ").rstrip()


@given(LINE)
def test_code_is_shown_as_it_is(text: str) -> None:
    """Addresses keep brackets, quotes and backticks."""
    (inline,) = MARKDOWN.parseInline(f"x {code_span(text)}")
    found = [token.content for token in inline.children or () if token.type == "code_inline"]

    assert [" ".join(text.split()) or " "] == found


@given(LINE)
def test_a_fence_ends_where_the_text_does(text: str) -> None:
    """Text that holds fences does not end its own."""
    (token,) = MARKDOWN.parse(fence(text, "hcl"))

    assert (text.replace("\r", "\n") + "\n", "hcl") == (token.content, token.info)


def test_nobody_is_mentioned() -> None:
    """A name after @ and a number after # notify nobody."""
    assert not re.search(r"@\w|#\d", escape("ask @shop/ops about #12"))


def test_cells_keep_their_pipes() -> None:
    """A pipe in a cell makes no column."""
    rendered = MARKDOWN.render(table(["a", "b"], [[escape("x | y"), code_span("p|q")]]))

    assert (2, 2) == (rendered.count("<th>"), rendered.count("<td>"))
    assert "x | y" in rendered
    assert "p|q" in rendered


@pytest.mark.parametrize(
    ("environ", "location", "expected"),
    [
        ({}, Location("a b.tf", 3), "`a b.tf:3`"),
        (GITHUB, Location("a b.tf", 3), "[`a b.tf:3`](https://github.com/shop/infra/blob/{sha}/a%20b.tf#L3)"),
        (GITHUB, Location("x.tf"), "[`x.tf`](https://github.com/shop/infra/blob/{sha}/x.tf)"),
        (GITHUB, Location("../x.tf", 1), "`../x.tf:1`"),
        ({**GITHUB, "GITHUB_REPOSITORY": ""}, Location("x.tf"), "`x.tf`"),
    ],
)
def test_places_are_links_on_github(environ: dict[str, str], location: Location, expected: str) -> None:
    """A place inside of the repository is a link to the commit that was checked, where GitHub says what it is."""
    assert expected.format(sha=RESULTS.run.commit) == Links.of(RESULTS, environ).place(location)


def test_what_matters_least_is_left_out_first() -> None:
    """Items of the highest rank go first, the last first, and the report says how many of what."""
    sections = [
        Section("", ("title",)),
        Section("Violated", ("v" * 100,) * 3, rank=2, noun="causes"),
        Section("Skipped", ("s" * 100,) * 3, rank=9, noun="skipped tests", folded=True),
    ]
    whole, shorter, short = (fitted(sections, limit) for limit in (2000, 600, 300))

    assert "Omitted" not in whole
    assert (3, 1) == (shorter.count("v" * 100), shorter.count("s" * 100))
    assert "Omitted to stay within the size limit: 2 skipped tests." in shorter
    assert "3 skipped tests, 2 causes" in short
    assert "Skipped" not in short


@given(st.lists(st.integers(0, 400), max_size=20), st.integers(300, 2000))
def test_the_limit_is_kept(lengths: list[int], limit: int) -> None:
    """However long the items are, the report is not longer than the limit."""
    items = tuple("\U0001d54f" * length for length in lengths)
    text = fitted([Section("", ("title",)), Section("Items", items, rank=1, noun="items")], limit)

    assert len(text.encode("utf-16-le")) // 2 <= limit
