"""What an error of a file says, and that all of them are said."""

import pickle

import pytest

from infraspec.core.errors import HclSyntaxError, InfraspecError, InputErrorGroup
from infraspec.hcl.parser import MAX_ERRORS, parse, parse_expression


def _errors(text: str) -> list[InfraspecError]:
    with pytest.raises((HclSyntaxError, InputErrorGroup)) as caught:
        parse(text, "main.tf")
    error = caught.value
    return list(error.errors) if isinstance(error, InputErrorGroup) else [error]


def test_error_has_place_caret_expectation_and_remedy() -> None:
    """An error names file, line and column, shows the line with a caret, and says what to write instead."""
    (error,) = _errors('resource "x" "y" {\n\tcidr = 10.0.0.0\n}\n')

    assert "main.tf:2:9" == error.place
    assert "\tcidr = 10.0.0.0\n\t       ^" == error.excerpt
    assert "a number such as 15, 1.5 or 1e3" == error.expected
    assert '"10.0.0.0"' == error.found
    assert "in quotes" in error.remedy


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a =\n", "the end of the line"),
        ("a =\r\n", "the end of the line"),
        ("a =", "the end of the file"),
        ("a = /", '"/"'),
        ("a = 1 bcd", '"bcd"'),
        ('a = 1 "x"', 'a quote (")'),
        ("a = 1 " + "b" * 99, f'"{"b" * 40}…"'),
    ],
)
def test_error_describes_what_was_found(text: str, found: str) -> None:
    """What stands at the place is named, and never at length."""
    assert found == _errors(text)[0].found


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("a = 'x'\n", "double quotes"),
        ("a = 1; b = 2\n", "a line of its own"),
        ("a = 1, b = 2\n", "newlines, not commas"),
        ("a = b & c\n", "&&"),
        ("a = “x”\n", "straight quotes"),
        ("a = `x`\n", "heredoc"),
        ('a = "x\n', "heredoc"),
        ('a = "\\."\n', r"\\"),
        ('a = "${b c}"\n', "$${"),
        ('"a" = 1\n', "without quotes"),
        ("a = {\n  b {\n  }\n}\n", "before the brace"),
        ("b { c {} }\n", "lines of their own"),
        ("a = <<E\nx\nE", "with a newline"),
        ("/* x", "close the comment"),
        ("a = 1\n\ufeffb = 2\n", "byte order mark"),
    ],
)
def test_remedy_fits_the_mistake(text: str, remedy: str) -> None:
    """A common mistake comes with the change that fixes it."""
    assert remedy in _errors(text)[0].remedy


def test_duplicate_names_both_lines_and_all_duplicates_are_reported() -> None:
    """Each second setting of an argument is an error that names both lines; parsing goes on after it."""
    errors = _errors("b {\n  a = 1\n  a = 2\n  c = 3\n  c = 4\n}\nd = )\n")

    assert [
        'the argument "a" is set twice, in lines 2 and 3',
        'the argument "c" is set twice, in lines 4 and 5',
        "an expression is missing",
    ] == [error.message for error in errors]
    assert "main.tf:2:3" in errors[0].found


def test_every_broken_block_is_reported_once() -> None:
    """After an error the next block in the first column is parsed again; one mistake makes one error."""
    broken = 'resource "x" "y" {\n  a = (\n  b = <<E\nc = (\nE\n}\n\n'
    fine = 'resource "x" "z" {\n  a = 1\n}\n\n'

    assert ["main.tf:3:5", "main.tf:16:5"] == [
        error.place for error in _errors(broken + fine + 'variable "v" {\n}\n' + broken)
    ]


def test_line_that_looks_like_a_block_inside_a_heredoc_is_not_taken_for_one() -> None:
    """Text of a heredoc after the mistake makes no further errors."""
    assert 1 == len(_errors("b {\n  a = )\n  c = <<EOT\nserver {\n  x = (\nEOT\n}\nd = 1\n"))


def test_errors_of_a_file_are_bounded() -> None:
    """A file that is hardly HCL does not drown the reader."""
    assert MAX_ERRORS == len(_errors("a = (\n" * 500))
    assert MAX_ERRORS == len(_errors("a = 1\n" * 500))


def test_very_long_line_is_not_shown() -> None:
    """A line that no terminal shows in one piece has a place but no excerpt."""
    (error,) = _errors("a = [" + "1, " * 1000 + "1 2]\n")

    assert "main.tf:1:3008" == error.place
    assert error.excerpt == ""


def test_errors_can_cross_processes() -> None:
    """Errors are pickled with all they say, as they are between test workers."""
    with pytest.raises(HclSyntaxError) as caught:
        parse_expression("a b", "main.tf")

    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))  # noqa: S301 - made in this test
