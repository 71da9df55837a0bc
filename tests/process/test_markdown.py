from pathlib import Path

import pytest

from infraspec.core.errors import ProcessFileError
from infraspec.process.markdown import Command, Heading, Item, PageLink, parse_page, read_page

PAGE = """---
id: one
targets: {confirm: 5}
---
# 見出し: one

- [ ] open
- [x] *done*
  later
* no task

[link](other.md#part) and ![image](a.png)

```sh
# a comment
CLUSTER=a
aws ecs \\
  list-tasks
$ make test
```

```json
{"not": "a command"}
```

## One
## One
"""


def test_page_has_its_parts_with_their_lines() -> None:
    """Front matter, headings, items, links and commands are found where they stand."""
    page = parse_page(PAGE, "page.md")

    assert page.meta["id"] == "one"
    assert str(page.location("targets")) == "page.md:3"
    assert page.headings == (Heading(1, "見出し: one", 5), Heading(2, "One", 26), Heading(2, "One", 27))
    assert page.items == (Item("open", ticked=False, line=7), Item("*done* later", ticked=True, line=8))
    assert page.links == (PageLink("other.md#part", 12), PageLink("a.png", 12))
    assert page.commands == (Command("CLUSTER=a", 16), Command("aws ecs list-tasks", 17), Command("make test", 19))
    assert page.anchors == {"見出し-one", "one", "one-1"}


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_line_ends(newline: str) -> None:
    """Lines may end as Windows and old Macs end them."""
    assert parse_page(PAGE.replace("\n", newline), "page.md").items == parse_page(PAGE, "page.md").items


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("---\nid: one\n", "page.md:1"),
        ("---\nid: one\nowner: a: b\n---\n", "page.md:3"),
        ("---\n- one\n---\n", "page.md"),
        ("---\nid: [\n---\n", "page.md:"),
    ],
)
def test_front_matter_that_is_wrong(text: str, place: str) -> None:
    """Front matter that is no mapping is an error with its line."""
    with pytest.raises(ProcessFileError) as caught:
        parse_page(text, "page.md")
    assert caught.value.place.startswith(place)


def test_page_without_front_matter() -> None:
    """A page needs no front matter; a rule in the text is none."""
    assert parse_page("text\n\n---\n\nmore", "page.md").meta == {}


def test_unreadable_file(tmp_path: Path) -> None:
    """A file that is no UTF-8 text is an error that names it."""
    (tmp_path / "a.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProcessFileError, match=r"cannot be read"):
        read_page(tmp_path / "a.md", "docs/a.md")
