"""Documents as HTML pages: what each part becomes."""

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
    TextSpan,
    Title,
    Tree,
    code,
)
from infraspec.reporting.language import speaking
from infraspec.reporting.page import as_html


def test_the_frame() -> None:
    """The first title is that of the page, in the language that is spoken, and nothing may be loaded."""
    with speaking("ja"):
        text = as_html(Document(lambda form: [Title(f"a & b ({form})"), Paragraph("c")]))

    assert '<html lang="ja">' in text
    assert "<title>a &amp; b (html)</title>" in text
    assert "<header>\n<h1>a &amp; b (html)</h1>\n</header>\n<main>\n<p>c</p>\n</main>" in text
    assert "default-src 'none'" in text


def test_parts() -> None:
    """Each part is the element that means it; a table has its header unless it is never shown."""
    columns = Column("name"), Column("verdict")
    rows = (Row(("x", TextSpan("bad", "bad")), Code("a = 1")),)
    parts: list[Part] = [
        Title("a"),
        Title(("b ", code("c")), level=2),
        Fields((Field("why", "one\ntwo"),)),
        Code("x < y"),
        Items.of(["d"]),
        Items(((Paragraph("e"),),), is_numbered=True),
        Tree("f", ((Paragraph("g"),),)),
        Table(columns, rows),
        Table(columns, rows, header="never"),
    ]
    written = as_html(Document(lambda _form: parts))

    assert (
        written.partition("<main>\n")[2].partition("</main>")[0]
        == """\
<h2>b <code>c</code></h2>
<dl><dt>why</dt><dd>one<br>two</dd></dl>
<pre>x &lt; y</pre>
<ul>
<li><p>d</p></li>
</ul>
<ol>
<li><p>e</p></li>
</ol>
<p>f</p>
<ul>
<li><p>g</p></li>
</ul>
<table class=list>
<thead><tr><th scope=col>name</th><th scope=col>verdict</th></tr></thead>
<tbody>
<tr><td data-label="name">x</td><td data-label="verdict">\
<span class="pill violated">bad</span><pre>a = 1</pre></td></tr>
</tbody>
</table>
<table class=list>
<tbody>
<tr><td>x</td><td><span class="pill violated">bad</span><pre>a = 1</pre></td></tr>
</tbody>
</table>
"""
    )
