"""Links from the documentation to files of the repository lead to the repository's page on the site."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_OUTSIDE = re.compile(r"\]\(\.\./([^)#\s]+)(#[^)\s]*)?\)")


def on_page_markdown(markdown: str, *, page: Any, config: Any, **_: Any) -> str:
    """Rewrite links that lead out of docs/; one that leads nowhere ends the build."""

    def link(match: re.Match[str]) -> str:
        path = match[1]
        if not (ROOT / path).exists():
            raise FileNotFoundError(f"docs/{page.file.src_uri}: there is no {path}")
        kind = "tree" if (ROOT / path).is_dir() else "blob"
        return f"]({config.repo_url}{kind}/main/{path}{match[2] or ''})"

    return _OUTSIDE.sub(link, markdown)
