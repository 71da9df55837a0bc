"""Text as GitHub's Markdown: escaped, in code, as a link, a table, a fold.

Source: GitHub Flavored Markdown Spec, "Backslash escapes", "Code spans", "Tables (extension)"; GitHub Docs, "Basic
writing and formatting syntax" (mentions and references are not made inside of code).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct

from infraspec.finding import Location
from infraspec.reporting.results import Results

_SPECIAL = re.compile(r"([\\`*\[\]<>#|~$]|(?<![^\W_])_|_(?![^\W_]))")
_TICKS = re.compile(r"`+")
_BREAK = "<!-- -->"


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, in one line; it mentions nobody and refers to no issue."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return escaped.replace("&", "&amp;").replace("@", f"@{_BREAK}").replace(r"\#", rf"\#{_BREAK}")


def code(text: str) -> str:
    """Return a code span of one line, also where the text holds backticks."""
    line = " ".join(text.split()) or " "
    ticks = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """Return a fenced code block, also where the text holds fences."""
    ticks = "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    return f"{ticks}{language}\n{text}\n{ticks}"


def fold(title: str, content: str) -> str:
    """Return what is shown on a click."""
    return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown already, pipes in them are escaped here."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(re.sub(r"(?<!\\)\|", r"\|", cell) for cell in line) + " |" for line in lines)


class Links(Struct, frozen=True):
    """Where places of the repository are shown on GitHub or GitLab; nowhere if `prefix` is empty."""

    prefix: str = ""

    @classmethod
    def of(cls, results: Results, environ: Mapping[str, str]) -> Links:
        """Return the links of a workflow run: to the commit of the results, else to that of the run."""
        return cls.at(results.run.commit or environ.get("GITHUB_SHA", ""), environ)

    @classmethod
    def at(cls, commit: str, environ: Mapping[str, str]) -> Links:
        """Return the links to a commit of the repository that a workflow or a pipeline runs for.

        Source: GitHub Docs, "Variables reference": GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_SHA; GitLab Docs,
        "Predefined CI/CD variables reference": CI_PROJECT_URL.
        """
        server, name = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
        project = environ.get("CI_PROJECT_URL")
        if not commit:
            return cls()
        if server and name:
            return cls(f"{server}/{name}/blob/{commit}/")
        return cls(f"{project}/-/blob/{commit}/" if project else "")

    def address(self, location: Location) -> str:
        """Return where a place is shown; empty for what lies outside of the repository, or if that is not known."""
        if not self.prefix or location.file.startswith(("/", "..")):
            return ""
        return f"{self.prefix}{quote(location.file)}" + (f"#L{location.line}" if location.line else "")

    def place(self, location: Location) -> str:
        """Return a place in code, with its link if there is one."""
        shown, address = code(str(location)), self.address(location)
        return f"[{shown}]({address})" if address else shown
