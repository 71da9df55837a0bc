"""The picture of the wings and the way of a finding are those of the code as it is."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.docs.blocks import blocks
from tools.architecture import PICTURE, Wing, arrows, floors, picture, wings
from tools.one_finding import steps

FACTS = re.compile(r"(\d+) modules, ([\d,]+) lines")


def house(**imports: str) -> dict[str, Wing]:
    """Return wings that import others, by the first letters of these."""
    return {name: Wing(name, "", {}, 1, 100, frozenset(others)) for name, others in imports.items()}


def test_picture_is_current() -> None:
    """`make reference` would draw the same wings, floors and arrows, and figures within a tenth."""
    drawn, now = PICTURE.read_text(encoding="utf-8"), picture()

    assert FACTS.sub("", now) == FACTS.sub("", drawn)
    for found, expected in zip(FACTS.findall(drawn), FACTS.findall(now), strict=True):
        assert [int(each.replace(",", "")) for each in found] == [
            pytest.approx(int(each.replace(",", "")), rel=0.1, abs=200) for each in expected
        ]


def test_picture_needs_nothing() -> None:
    """It is one well-formed file that loads no font, has a dark form, and has every wing."""
    root = ET.fromstring(picture())  # noqa: S314 - written by ourselves
    names = {text.text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.get("class") == "name"}

    assert set(wings()) == names
    assert "prefers-color-scheme: dark" in picture()
    assert not re.search(r"url\((?!#)|@import|href", picture())


def test_floors_and_arrows() -> None:
    """A wing is above all that it imports; what follows from other imports is no arrow; a circle is an error."""
    assert {"a": 2, "b": 1, "c": 0} == floors(house(a="bc", b="c", c=""))
    assert [("a", "b"), ("b", "c")] == arrows(house(a="bc", b="c", c=""))
    with pytest.raises(ValueError, match="wings that import each other: a, b"):
        floors(house(a="b", b="a", c=""))


def test_the_way_of_a_finding() -> None:
    """The page shows each step, from the line of HCL to the terminal, as it is when the way is really gone."""
    shown = [block.text.rstrip("\n") for block in blocks("text", page="docs/architecture.md")]

    assert [step.text for step in steps()] == shown
    assert all(step.modules for step in steps()[1:])
    assert "refresh_token.arn" in shown[0]
    assert "secret:daily-report-tool-prod-jwt-v2-??????" in shown[2]
    assert "ImplicitlyDenied" in shown[4]
    assert shown[6].startswith("1 violated of ")
