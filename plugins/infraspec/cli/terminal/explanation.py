"""The view of `infraspec explain`: the verdict, what shows it, what each layer of policies says, and what to add."""

from __future__ import annotations

import json
from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from infraspec.checks.explanation import Explanation
from infraspec.cli.terminal.parts import code, fields, table, words
from infraspec.iam.answer import Answer
from infraspec.iam.decision import Outcome
from infraspec.iam.layers import Layer, Layers
from infraspec.iam.policy import Hit
from infraspec.reporting.explanation import VERDICTS, rows, where

COLOURS = {Outcome.ALLOWED: "green", Outcome.UNDETERMINED: "yellow"}
DENIED = "red"
_STYLES = {"it lists": "red", "asked for": "green", "warning": "yellow"}
_ANSWERS = {
    ("Deny", Answer.YES): Text("denies", "red"),
    ("Deny", Answer.MAYBE): Text("may deny", "yellow"),
    ("Allow", Answer.YES): Text("allows", "green"),
    ("Allow", Answer.MAYBE): Text("may allow", "yellow"),
}


def view(explanation: Explanation) -> Iterator[RenderableType]:
    """Yield what is shown of an explanation: all that its text has, and the layers of the decision."""
    verdict = VERDICTS[explanation.outcome]
    yield words(verdict, f"bold {COLOURS.get(explanation.outcome, DENIED)}")
    yield fields(rows(explanation), _STYLES)
    layers, nearest = explanation.decision.layers, explanation.decision.nearest
    if layers is not None:
        yield Padding(_table(layers, nearest.hit if nearest else None), (1, 0, 0, 2))
    if explanation.addition is not None:
        yield words(f"\nTo allow it, add to {where(explanation.addition)}:\n", "bold")
        yield code(explanation.addition.hcl, "terraform")
        yield words("\nThe same as JSON:\n", "bold")
        yield code(json.dumps(explanation.addition.json, indent=2), "json")


def _table(layers: Layers, nearest: Hit | None) -> Table:
    """Return what each kind of policies says: the statements that apply, or that none does.

    Source: IAM User Guide, "Policy evaluation logic".
    """
    found = table("layer", "answer", "statement")
    boundary = layers.boundary or Layer("permissions boundary", ())
    others = [layer for layer in layers.all() if layer is not layers.own and layer is not boundary]
    for layer in (layers.own, boundary, *others):
        hits = [(_ANSWERS["Deny", answer], hit) for answer, hit in layer.denies]
        hits += [(_ANSWERS["Allow", answer], hit) for answer, hit in layer.allows]
        for answer, hit in hits:
            found.add_row(Text(layer.name), answer, _statement(hit))
        if not hits and not layer.policies:
            found.add_row(Text(layer.name), Text("none known", "dim"), Text())
        elif not hits:
            closest = _closest(nearest) if nearest and layer is layers.own else Text()
            found.add_row(Text(layer.name), Text("does not allow"), closest)
    return found


def _closest(hit: Hit) -> Text:
    return Text.assemble(("closest: ", "dim"), _statement(hit))


def _statement(hit: Hit) -> Text:
    return words(f"{hit}\n{hit.location}" if hit.location else str(hit))
