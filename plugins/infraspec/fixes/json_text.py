"""Edits of JSON that is text in the source, as in a heredoc: what is added is JSON, its references are `${…}`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from infraspec.fixes.references import UnfixableError
from infraspec.fixes.text_edits import Edit, items_added
from infraspec.fixes.tokens import expression_end, tokens
from infraspec.hcl import ast
from infraspec.hcl.ast import Expression
from infraspec.hcl.parser import parse


def as_json(expression: str) -> str:
    """Write an expression of HCL as JSON, with its references interpolated."""
    text = f"value = {expression}\n"
    return json.dumps(_plain(text, parse(text, "value").body.attributes["value"].expression), indent=2)


def _plain(text: str, node: Expression) -> object:
    match node:
        case ast.Object():
            keys = (key.value if isinstance(key, ast.Literal) else "" for key, _ in node.items)
            return {str(key): _plain(text, value) for key, (_, value) in zip(keys, node.items, strict=True)}
        case ast.Tuple():
            return [_plain(text, item) for item in node.items]
        case ast.Literal():
            return node.value
    written = text[node.at : expression_end(text, node.at)]
    return written[1:-1] if written.startswith('"') else f"${{{written}}}"


def members_set(file: Path, text: str, at: int, path: Sequence[str], entries: Mapping[str, str]) -> Iterator[Edit]:
    """Set members of an object of a JSON text that begins at an offset: `0.options` is a path.

    Raises UnfixableError if the text has no object there.
    """
    for step in path:
        inner = _members(text, at).get(step)
        if inner is None:
            raise UnfixableError(f"{'.'.join(path)} is not written out in the text of {file.name}")
        at = inner
    if text[at] != "{":
        raise UnfixableError(f"{'.'.join(path)} is no object in the text of {file.name}")
    present = _members(text, at)
    for name in entries.keys() & present.keys():
        yield Edit(file, present[name], expression_end(text, present[name]), as_json(entries[name]))
    added = [f"{json.dumps(name)}: {as_json(one)}" for name, one in entries.items() if name not in present]
    if added:
        yield from items_added(file, text, at, added, commas=True, is_json=True)


_KEY = re.compile(r'"([^"\\]*)"\s*:\s*')


def _members(text: str, at: int) -> dict[str, int]:
    """Return where the values of a list or object begin, by number or key; nothing of what is neither."""
    if text[at] == "[":
        return {str(number): start for number, start in enumerate(_items(text, at))}
    keys = (_KEY.match(text, start) for start in _items(text, at)) if text[at] == "{" else ()
    return {found[1]: found.end() for found in keys if found}


def _items(text: str, at: int) -> Iterator[int]:
    """Yield where the items between the brackets that open at an offset begin."""
    depth, is_next = 0, True
    for token in tokens(text, at):
        depth += (token.kind == "open") - (token.kind == "close")
        if not depth:
            return
        if token.kind == "comma" and depth == 1:
            is_next = True
        elif is_next and token.start > at and token.kind not in {"comment", "newline"}:
            is_next = False
            yield token.start
