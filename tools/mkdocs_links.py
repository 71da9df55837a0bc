"""Links from the documentation to files of the repository lead to the repository's page on the site."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_UPWARDS = re.compile(r"\]\((\.\./[^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Rewrite links that lead out of docs/; one that leads nowhere ends the build."""

    def link(match: re.Match[str]) -> str:
        path = Path(os.path.normpath(ROOT / "docs" / page.file.src_uri / ".." / match[1]))
        if not path.exists():
            raise FileNotFoundError(f"docs/{page.file.src_uri}: there is no {match[1]}")
        if path.is_relative_to(ROOT / "docs"):
            return match[0]
        kind = "tree" if path.is_dir() else "blob"
        return f"]({config.repo_url.rstrip('/')}/{kind}/main/{path.relative_to(ROOT).as_posix()}{match[2] or ''})"

    return _UPWARDS.sub(link, markdown)
