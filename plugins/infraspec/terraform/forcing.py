"""Every value of a plan evaluated at once, so that all that is wrong with the input is said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from infraspec.errors import ErrorCollector
from infraspec.terraform.plan import Plan
from infraspec.unknown import Value


def force(plan: Plan) -> None:
    """Evaluate all attributes and outputs; raise the one error, or an InputErrorGroup of all of them.

    What one place of the source does wrong is said once, however many instances it goes wrong in.
    """
    collector = ErrorCollector()
    for evaluate in _evaluations(plan):
        with collector.collect():
            evaluate()
    collector.finalize_distinct()


def _evaluations(plan: Plan) -> Iterator[Callable[[], object]]:
    for values in (*(resource.values for resource in plan.resources), plan.outputs):
        names: list[str] = []
        yield lambda values=values, names=names: _list_names(values, names)  # type: ignore[misc] # bound here
        for name in names:
            yield lambda values=values, name=name: values.get(name)  # type: ignore[misc] # likewise


def _list_names(values: Mapping[str, Value], names: list[str]) -> None:
    names.extend(values)
