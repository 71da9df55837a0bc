"""The view of `infraspec simulate`: a table of the decisions, and how many there are of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.text import Text

from infraspec.cli.terminal.explanation import COLOURS, DENIED
from infraspec.cli.terminal.parts import table, words
from infraspec.iam.decision import Outcome


def view(rows: Sequence[Mapping[str, str]]) -> Iterator[RenderableType]:
    """Yield what is shown of decisions, each with `id`, `decision` and `why`."""
    found = table("id", "decision", "why")
    for row in rows:
        found.add_row(words(row["id"]), _coloured(row["decision"]), words(row["why"]))
    yield found
    counts = Counter(row["decision"] for row in rows)
    numbers = [Text(f"{counts[each.value]} ") + _coloured(each.value) for each in Outcome if counts[each.value]]
    yield Text.assemble("\n", Text(", ").join(numbers) if numbers else "no case")


def _coloured(decision: str) -> Text:
    return Text(decision, COLOURS.get(Outcome(decision), DENIED), no_wrap=True)
