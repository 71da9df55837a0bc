"""The mutants of a module: what is changed and what is left alone."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from tools.code_mutations.mutants import Mutant, mutants_of
from tools.code_mutations.runner import patched

SOURCE = '''"""A docstring."""
from typing import Literal, TypeVar, cast
T = TypeVar("T")
Kind = Literal["a"]
LIMIT = 3
class C(Base, frozen=True):
    """A docstring."""
    __slots__ = ("a",)
    size: Literal[4] = 5
    @cache(maxsize=6)
    def of(self, one: "int", other: int = 7) -> "str":
        """A docstring."""
        if not one == other or one < 8:
            return f"é {one!r} and {other:>9}"
        self.kept = cast("str", True)
        assert_never(one)
'''


def mutants(source: str = SOURCE) -> list[Mutant]:
    """Return the mutants of a module."""
    return list(mutants_of("plugins/infraspec/iam/a.py", source, "iam"))


def test_each_kind_of_change() -> None:
    """Comparisons, `not`, constants and statements are changed, and nothing that says nothing at run time."""
    found = [(one.kind, one.before, one.after) for one in mutants()]
    assert sorted(found) == sorted([
        ("constant", "3", "4"),
        ("constant", "5", "6"),
        ("constant", "7", "8"),
        ("constant", "8", "9"),
        ("constant", "True", "False"),
        ("constant", 'f"é {one!r} and {other:>9}"', "f'é ~{one!r} and {other:>9}'"),
        ("constant", 'f"é {one!r} and {other:>9}"', "f'é {one!r} and ~{other:>9}'"),
        ("constant", 'f"é {one!r} and {other:>9}"', "f'é {one!r} and {other:>9~}'"),
        ("comparison", "one == other", "(one != other)"),
        ("comparison", "one < 8", "(one >= 8)"),
        ("comparison", "one < 8", "(one <= 8)"),
        ("not", "not one == other", "(one == other)"),
        ("statement", 'return f"é {one!r} and {other:>9}"', "pass"),
        ("statement", 'self.kept = cast("str", True)', "pass"),
    ])  # fmt: skip


@pytest.mark.parametrize("mutant", mutants(), ids=lambda one: f"{one.line} {one.after}")
def test_a_change_is_the_only_one(mutant: Mutant) -> None:
    """A mutant is a module that can be read, and differs from the original."""
    changed = mutant.applied(SOURCE)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(SOURCE))
    assert changed.count("\n") == SOURCE.count("\n")


def test_a_mutant_is_known_wherever_its_function_stands() -> None:
    """What is argued of a mutant holds when lines, docstrings, or the module change, and not when the function does."""
    keys = {one.key for one in mutants()}
    assert keys == {one.key for one in mutants_of("b.py", SOURCE.replace("LIMIT", "\n\nLIMIT"), "ecs")}
    assert not {one.key for one in mutants(SOURCE.replace("cast(", "list(")) if "of" in one.function} & keys


def test_what_a_function_made_while_its_module_was_loaded_is_changed_too(tmp_path: Path) -> None:
    """A closure in a table has its new code, as the function that made it has."""
    source = (
        "def over(limit):\n    def apply(value):\n        return value > limit\n    return apply\nTABLE = [over(1)]\n"
    )
    path = tmp_path / "made.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("made", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [mutant] = [one for one in mutants_of(str(path), source, "iam") if one.after == "(value <= limit)"]

    assert patched(mutant, source)
    assert [True, False] == [module.TABLE[0](1), module.over(1)(2)]
