"""Our trees of the repository's files equal python-hcl2's, and the comparison finds what differs."""

from pathlib import Path

import pytest

from infraspec.hcl.ast import Body
from tests.hcl import second_opinion
from tests.hcl.python_hcl2 import reading
from tests.hcl.second_opinion import compare, hcl_files, main

ROOT = Path(__file__).parents[2]
FILES = sorted(
    path
    for folder in ("bench", "docs", "fixtures", "plugins", "tests", "tests_static")
    for path in hcl_files(ROOT / folder)
)


@pytest.mark.parametrize("path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES])
def test_file_of_the_repository_reads_alike(path: Path) -> None:
    """Every HCL file that we have is the same tree for both parsers, or the difference is a known one."""
    assert [] == [str(item) for item in compare(path.read_text(encoding="utf-8"), path.name) if not item.explanation]


def test_there_are_files_to_compare() -> None:
    """The reference infrastructure is among the files."""
    assert "fixtures" in {path.relative_to(ROOT).parts[0] for path in FILES}


EVERYTHING = r"""
# comment
resource "aws_x" "y" {
  a = "x ${var.b}-${f("c", [1, 2.5, -3, -4.5]...)} \" \n \\ \u00e9 $${d} %%{e}"
  b = !g && h || (i + 1) * 2 - 3 % 4 / 5 == 6 ? null : true
  c = [for k, v in m : "${k}" if v != false]
  d = { for k in m : k => upper(k)... if k > 1 }
  e = { f = 1, "g" : 2, (h) = 3
    i = j.k[0].l["m"].0 }
  n = o[*].p[0].q
  r = s.*.t
  u = <<EOT
    v ${w}
  EOT
  x = <<-EOT
    y
      z $${a}
    EOT
  y = "%{ if a }b%{ else }c%{ endif }%{ for d, e in f ~} ${e} %{~ endfor }"
  z = provider::aws::f(1)

  one { line = 1 }
  nested "label" bare {
    for = 1
  }
}
"""


def test_every_form_of_expression_reads_alike() -> None:
    """The conversion of python-hcl2's tree covers all it has."""
    assert isinstance(reading(EVERYTHING), Body)
    assert compare(EVERYTHING, "f") == []


@pytest.mark.parametrize(
    ("text", "explanations"),
    [
        ("a = b.*.c[0]\n", ["what follows a splat"]),
        ("a = [b.*.c[0].d, e]\n", ["what follows a splat"]),
        ("a = b[*].c[*].d\n", ["what follows a splat"]),
        ("a = b[*].c[*].d[*].e[0]\n", ["what follows a splat"]),
        ("a = <<E\nx\nE  \nb = <<E\ny\nE\n", ["blanks after a heredoc's end marker (python-hcl2 issue 343)"]),
        ("\ufeffa = 1\n", ["a byte order mark"]),
        ('a = "x ${~ b ~} y"\n', ["a trim marker in an interpolation"]),
        ("é = 1\n", ["a letter outside ASCII in a name"]),
        ("a = core::max(1)\n", ["a namespaced function"]),
        ("a = 1\na = 2\n", ["python-hcl2 is less strict"]),
        ("a = 10.0.0.0\n", ["python-hcl2 is less strict"]),
        ('a = "\\/"\n', ["python-hcl2 is less strict"]),
        ("b {\n a = 1 }\n", ["python-hcl2 is less strict"]),
        ("a = b\n ? c : d\n", ["python-hcl2 is less strict"]),
        ('a = "x\ny"\n', ["python-hcl2 is less strict"]),
        ('b "x"\n{\n}\n', ["python-hcl2 is less strict"]),
        ("a = (\n", []),
    ],
)
def test_known_deviation_is_explained(text: str, explanations: list[str]) -> None:
    """What python-hcl2 is known to read differently is named; what both reject is no difference."""
    assert explanations == [item.explanation for item in compare(text, "f")]


def test_difference_is_found_at_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree that differs is reported with the path to the node and both sides, unexplained."""
    monkeypatch.setattr(second_opinion, "reading", lambda _: reading('b "c" {\n  d = [1, true]\n}\n'))
    (found,) = compare('b "c" {\n  d = [1, 1]\n}\n', "f")

    assert "file.blocks.0.body.attributes.d.expression.items.1.value" == found.path
    assert ("1", "True", "") == (found.ours, found.theirs, found.explanation)


def test_script_reports_and_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script tells what it compared, explains differences, skips the folders of tools, and exits with 0."""
    (tmp_path / ".terraform").mkdir()
    (tmp_path / ".terraform" / "main.tf").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / "main.tf").write_text("a = 1\n", encoding="utf-8")
    (tmp_path / "splat.tfvars").write_text("a = b.*.c[0]\n", encoding="utf-8")
    (tmp_path / "latin.tf").write_bytes(b"# \xe9\n")

    assert main([str(tmp_path)]) == 0
    output = capsys.readouterr().out
    assert "2 files, 19 characters: 1 equal" in output
    assert "1 explained: what follows a splat" in output
    assert "1 explained: not UTF-8" in output
    assert "splat.tfvars" in output


def test_script_fails_for_an_unexplained_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A difference that nothing explains makes the exit code 1."""
    (tmp_path / "main.tf").write_text("a = 1\n", encoding="utf-8")
    monkeypatch.setattr(second_opinion, "reading", lambda _: reading("a = 2\n"))

    assert main([str(tmp_path)]) == 1
    assert "1 unexplained" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["absent"], [__file__]])
def test_script_rejects_what_is_not_a_folder(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a folder there is nothing to verify, and the exit code is 2."""
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err
