"""The pictures of commands in the documentation show what the commands print now."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tools.kpi_image import IMAGE, kpi_picture
from tools.terminal_images import COMMANDS, IMAGES, picture

SVG = "{http://www.w3.org/2000/svg}"


def shown(svg: str) -> str:
    """Return the text of a picture without its blanks."""
    texts = ET.fromstring(svg).iter(f"{SVG}text")  # noqa: S314 - written by ourselves
    return "".join("".join("".join(text.itertext()).split()) for text in texts)


@pytest.mark.parametrize("name", COMMANDS)
def test_picture(name: str) -> None:
    """`make images` would write the same text; a picture loads nothing, and names no folder of a machine."""
    svg = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")

    assert shown(svg) == shown(picture(name))
    assert "DENIED:nostatementallowsit" in shown(svg)
    assert "url(http" not in svg.replace('"', "")
    assert "file:" not in svg


def test_picture_of_the_success_figures() -> None:
    """It is what `infraspec report kpi --plot` draws now, of every figure."""
    assert IMAGE.read_text(encoding="utf-8") == kpi_picture()
