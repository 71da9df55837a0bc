"""Parse a template that stands for itself, such as the file of `templatefile`."""

from __future__ import annotations

from infraspec.hcl.expressions import ExpressionParser
from infraspec.hcl.nodes import Literal, Template
from infraspec.hcl.parser import clean, run
from infraspec.hcl.source import Source


def parse_template(text: str, name: str) -> Template | Literal:
    """Return the tree of a raw template: no escapes, `$${` and `%%{` for the text `${` and `%{`.

    Raise HclSyntaxError. HCL Native Syntax Specification, "Templates".
    """
    source = Source(name, clean(text))
    return run(lambda: ExpressionParser(source), ExpressionParser.raw_template)[1]
