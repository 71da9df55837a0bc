"""Placeholders that deployment tools fill in before a task definition is registered.

`${VAR}` (envsubst, GitHub Actions), `{{ must_env `VAR` }}` and `{{ tfstate `address` }}` (ecspresso, Go and Jinja
templates), `<IMAGE>` (CodePipeline), `%VAR%`, `__VAR__`, and bare ACCOUNT_ID and REGION in an ARN or image.
"""

from __future__ import annotations

import re

from infraspec.unknown import Placeholder, Unknown, Value, concatenate

_PLACEHOLDER = re.compile(
    r"\{\{.*?\}\}"
    r"|\$\{[^}]*\}"
    r"|<[A-Za-z_][\w .-]*>"
    r"|%[A-Za-z_]\w*%"
    r"|__[A-Za-z][A-Za-z0-9_]*?__"
    r"|(?<![\w-])(?:AWS_)?(?:ACCOUNT_ID|REGION)(?![\w-])"
)
_QUOTED = re.compile(r"[`\"]([^`\"]*)[`\"]")
_STATE = re.compile(r"^\{\{\s*\w*tfstate\s+[`\"](?P<address>[^`\"]+)[`\"]\s*\}\}$")


def with_placeholders(tree: Value) -> Value:
    """Return a JSON tree in which every placeholder in a string is an Unknown."""
    if isinstance(tree, dict):
        return {key: with_placeholders(item) for key, item in tree.items()}
    if isinstance(tree, list):
        return [with_placeholders(item) for item in tree]
    return _text(tree) if isinstance(tree, str) else tree


def first_placeholder(text: str) -> str:
    """Return the first placeholder in a text, or nothing."""
    found = _PLACEHOLDER.search(text)
    return found[0] if found else ""


def _text(text: str) -> Value:
    parts: list[str | Unknown] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        parts += [text[position : found.start()], _unknown(found[0])]
        position = found.end()
    if not position:
        return text
    parts = [part for part in (*parts, text[position:]) if part != ""]
    return parts[0] if len(parts) == 1 else concatenate(parts)


def _unknown(placeholder: str) -> Unknown:
    state = _STATE.match(placeholder)
    if state:  # ecspresso looks the attribute up in Terraform's state
        return Unknown(state["address"].replace("'", '"'))
    quoted = _QUOTED.search(placeholder)
    name = quoted[1] if quoted else placeholder.strip("{}$<>%_ ")
    return Unknown(f"placeholder {name}", Placeholder(name))
