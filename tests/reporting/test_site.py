from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infraspec.core.finding import Verdict
from infraspec.reporting.run.results import Entry
from infraspec.reporting.trends.site import site
from tests.reporting.history import BROKEN, OTHER, QUEUE, at
from tests.reporting.results import OWNERS, WAIVER, entry

RUNS = [
    at(1, OTHER, problems=(BROKEN,)),
    at(2, QUEUE, OTHER),
    at(3, QUEUE, entry(state="waived", address="aws_sqs_queue.old", waiver=WAIVER)),
    at(4, QUEUE, entry(verdict=Verdict.UNDETERMINED, address="aws_sqs_queue.new"), complete=False),
    at(4, Entry("repository", "failing", OWNERS), ran={"repository": ("process",)}),
    at(5, suite="live", ran={"prod": ("names",)}),
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Page(HTMLParser):
    """The tags of a page: whether they are closed in order, their attributes, and the text."""

    VOID = {"meta", "link", "br"}  # noqa: RUF012 - a constant of the parser

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        assert not self.stack

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, which has to be the last one opened."""
        assert tag == self.stack.pop()

    def handle_data(self, data: str) -> None:
        """Keep the text that is shown."""
        if "style" not in self.stack:
            self.text.append(data)


def values(page: Page, name: str) -> list[str]:
    """Return the values of an attribute."""
    return [value for _, attribute, value in page.attributes if attribute == name]


def test_the_page_asks_nobody() -> None:
    """It has no script, and nothing in it is loaded from elsewhere."""
    text = site(RUNS)
    page = Page(text)

    assert ["data:,"] == [value for tag, name, value in page.attributes if (tag, name) == ("link", "href")]
    assert not values(page, "src")
    assert not re.search(r"<script|url\(|@import|\son\w+=", text)
    assert "default-src 'none'" in text


def test_the_page_is_well_formed() -> None:
    """Tags are closed in order, ids are there once, and what refers to one finds it."""
    page = Page(site(RUNS))
    ids = values(page, "id")

    assert len(ids) == len(set(ids))
    assert set(values(page, "aria-labelledby")) == set(ids)
    assert {value for value in values(page, "href") if value.startswith("#")} == {f"#{name}" for name in ids}


def test_what_the_page_says() -> None:
    """Environments, runs, findings with their age, and waivers that lapse."""
    text = " ".join(" ".join(Page(site(RUNS)).text).split())

    for fragment in (
        "shop: infrastructure over time",
        "6 runs, 2026-11-01 to 2026-11-05; times are in UTC.",
        "2 open findings, 1 new and 1 fixed since the run before. Last run of 040404040404 : 2026-11-04 08:00.",
        "11-04*",
        "no verdict !1",
        "2 days 2026-11-02",
        "at least 0 days 2026-11-04",
        "the repository static suite",
        "prod live suite",
        "rename it: name",
    ):
        assert fragment in text
    assert "team-data: renaming recreates it" not in text


@pytest.mark.parametrize(
    ("day", "said"), [(20, "2026-11-20 (0 days left)"), (21, "lapsed"), (10, "10 days left"), (1, "19 days left")]
)
def test_waivers(day: int, said: str) -> None:
    """A waiver that lapses within 30 days is named, and one that has, counted to the day of the run."""
    text = site([at(day, entry(state="waived", waiver=WAIVER))])

    assert said in text
    assert "team-data: renaming recreates it" in text


def test_a_waiver_that_holds_for_long_is_not_named() -> None:
    """Thirty days are soon enough."""
    late = entry(state="waived", waiver=WAIVER.__class__("r", "o", "2027-06-01"))

    assert "last day" not in site([at(1, late)])


@pytest.mark.parametrize(
    ("sign", "found"),
    [
        ('<td class=violated title="names, 2026-11-04 08:00: 1 violated, 3 proven">1</td>', [QUEUE]),
        (">?1</td>", [entry(verdict=Verdict.UNDETERMINED)]),
        (">(1)</td>", [entry(state="waived", waiver=WAIVER)]),
        (">✓</td>", []),
    ],
)
def test_cells(sign: str, found: list[Entry]) -> None:
    """A cell says by its sign what it says by its colour, and in its title in numbers."""
    assert sign in site([at(4, *found)])


def test_places_are_links_to_the_commit_that_was_looked_at() -> None:
    """A line of today may not be the line of then."""
    text = site([at(1, QUEUE), at(3, ran={"dev": ("tags",)})], repository="https://github.com/shop/infra")

    assert f'href="https://github.com/shop/infra/blob/{"01" * 20}/modules/jobs/main.tf#L7"' in text
    assert "not looked at since 2026-11-01" in text


def test_names_are_text() -> None:
    """What comes from a repository is never markup."""
    evil = entry(address='<script>"&', found="</details><img src=x onerror=alert(1)>", remedy="</pre><b>")
    text = site([at(1, evil)])

    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;/pre&gt;&lt;b&gt;" in text
    Page(text)


def test_many_findings_are_cut_and_counted() -> None:
    """A page stays one that a browser opens; it says how much is left out."""
    text = site([at(1, *(entry(address=f"aws_sqs_queue.q{n:03}") for n in range(130)))])

    assert 100 == text.count("<details>")
    assert "And 30 more." in text


def test_the_same_runs_give_the_same_bytes() -> None:
    """A page depends on its runs alone."""
    assert site(RUNS) == site(list(RUNS))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium to open the page with")
def test_a_browser_opens_it(tmp_path: Path) -> None:
    """Chromium parses the page as it is written, applies its style, and complains of nothing."""
    (tmp_path / "page.html").write_text(site(RUNS), encoding="utf-8")
    ran = subprocess.run(
        [
            str(CHROMIUM),
            *(
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--enable-logging=stderr",
            ),
            *(f"--user-data-dir={tmp_path / 'profile'}", f"--screenshot={tmp_path / 'page.png'}", "--dump-dom"),
            (tmp_path / "page.html").as_uri(),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert "shop: infrastructure over time" in ran.stdout
    assert len(Page(ran.stdout).attributes) >= len(Page(site(RUNS)).attributes)
    assert not [line for line in ran.stderr.splitlines() if "CONSOLE" in line]
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
