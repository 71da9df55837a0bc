"""Documents: one model, and what each form makes of it."""

from __future__ import annotations

from infraspec.reporting.document import (
    Code,
    Column,
    Document,
    Field,
    Fields,
    Items,
    Paragraph,
    Part,
    Row,
    Table,
    Title,
    Tree,
    as_markdown,
    as_text,
    code,
    joined,
    markdown,
    marked,
    raw,
    text,
)

HOSTILE = "<b> | `x` @shop/ops #1 [a](b)"
ESCAPED = r"\<b\> \| \`x\` @<!-- -->shop/ops \#<!-- -->1 \[a\](b)"


def test_a_document_knows_its_form() -> None:
    """What only a page has is not in text."""
    document = Document(lambda form: [Paragraph(form)])

    assert ("text", "markdown") == (as_text(document), as_markdown(document))


def test_what_belongs_to_a_title_stands_below_it() -> None:
    """All else is parted by a blank line; in Markdown everything is."""
    parts: list[Part] = [Title("a", 2), Paragraph("b"), Paragraph("c")]

    assert "a\nb\n\nc" == text(parts)
    assert "## a\n\nb\n\nc" == markdown(parts)


def test_markdown_shows_a_text_as_it_is() -> None:
    """In whatever part it stands, but for what is ours."""
    table = Table.of((HOSTILE,), [(raw("_mine_ | too"),)])
    parts: list[Part] = [Paragraph(HOSTILE), Title(HOSTILE), Items.of([HOSTILE]), Fields((Field("a", HOSTILE),)), table]

    cell = rf"| {ESCAPED} |"
    mine = r"| _mine_ \| too |"
    assert [ESCAPED, f"# {ESCAPED}", f"- {ESCAPED}", f"- **a:** {ESCAPED}", f"{cell}\n|---|\n{mine}"] == markdown(
        parts
    ).split("\n\n")


def test_values_of_a_template_are_text() -> None:
    """Backticks of the template make code, those of a value do not end it."""
    words = marked("the `{a}` of {b}", a="x`y", b="*z*")

    assert r"the ``x`y`` of \*z\*" == markdown([Paragraph(words)])
    assert "the x`y of *z*" == text([Paragraph(words)])
    assert "`a`, `b`" == markdown([Paragraph(joined(", ", [code("a"), code("b")]))])


def test_fields_stand_below_each_other() -> None:
    """The longest label decides, and further lines of a text are below its first."""
    fields = Fields((Field("a", "1\n2"), Field("longer", "3")), width=3)

    assert "  a:      1\n          2\n  longer: 3" == text([fields])


def test_columns_are_as_wide_as_their_cells() -> None:
    """A full-width character takes two; what is to be pasted stands below the last cell."""
    columns = (Column("名前", least=6), Column("b"))
    rows = (Row(("日本語", "1"), Code("x\ny")), Row(("a", "2")))

    assert "名前    b\n日本語  1\n        x\n        y\na       2" == text([Table(columns, rows)])
    assert "日本語  1" == text([Table(columns, rows[:1], header="never")]).splitlines()[0]


def test_items_are_as_far_in_as_their_sign() -> None:
    """Of several parts too; after code a list goes on below a blank line."""
    items = Items(((Paragraph("a"), Code("b", "hcl")), (Paragraph("c"),)), is_numbered=True)

    assert "1. a\n\n   b\n2. c" == text([items])
    assert "1. a\n\n   ```hcl\n   b\n   ```\n\n2. c" == markdown([items])


def test_a_tree_is_indented() -> None:
    """What is below a branch is further in."""
    tree = Tree("a", ((Tree("b", ((Paragraph("c"),),)),),))

    assert "a\n  b\n    c" == text([tree])
    assert "a\n- b\n  - c" == markdown([tree])
