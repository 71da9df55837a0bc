"""What is cut out of the reference infrastructure, `infraspec fix` puts back, or something as good.

The mutations are those of test_reference_mutations. Each is written to a copy, fixed, and judged again from its files.
A run without more takes a few of each kind; INFRASPEC_EDITS=all takes all. `pytest -s` shows the numbers by rule.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from infraspec.core.finding import Verdict
from infraspec.core.rules import SOURCE
from infraspec.fixes.judgement import Infrastructure
from infraspec.fixes.proof import Prover
from tests.reference_parts import Part, without
from tests.test_reference_mutations import FILES, REFERENCE, guarded, parts_of

KINDS = ("secret-access", "names", "tags", "alarms")
LEAST = 0.8
"""The share of findings of these rules that have a patch."""
CHOSEN = frozenset(
    {
        "modules/iam/main.tf: data.aws_iam_policy_document.read_secrets.statement",
        "modules/labels/outputs.tf: output.tags.value.CostCenter",
    }
)
"""What a run without more tries."""


def cases() -> Iterator[tuple[str, Part]]:
    """Yield the mutations that are tried."""
    every = os.environ.get("INFRASPEC_EDITS") == "all"
    pairs = ((file, part) for file in FILES for part in guarded(file))
    yield from ((file, part) for file, part in pairs if every or f"{file}: {part.path}" in CHOSEN)


def violated(infrastructure: Infrastructure) -> set[tuple[str, str, str]]:
    """Return what is violated: environment, rule and key."""
    return {
        (name, finding.rule, finding.key)
        for name, judged in infrastructure.judged().items()
        for finding in judged.findings
        if finding.verdict is Verdict.VIOLATED
    }


def test_what_is_cut_out_is_put_back(tmp_path: Path) -> None:
    """A finding that has a patch is none after it, nothing else is violated, and most have one."""
    shutil.copytree(REFERENCE, tmp_path / "infra")
    fixed, found = Counter[str](), Counter[str]()
    for file, part in cases():
        path = tmp_path / "infra/terraform" / file
        kept = path.read_bytes()
        path.write_text(without(parts_of(file)[0], part), encoding="utf-8")
        infrastructure = Infrastructure(tmp_path / "infra")
        before = violated(infrastructure)
        fixes = Prover(infrastructure).run()
        for changed, text in fixes.after.items():
            changed.write_bytes(text.encode())
        mended = {(one.environment, one.finding.rule, one.finding.key) for one in fixes.fixed}
        assert violated(Infrastructure(tmp_path / "infra")) <= before - mended, f"{file}: {part.path}"
        for changed, text in fixes.before.items():
            changed.write_bytes(text.encode())
        path.write_bytes(kept)
        rules = Counter(rule for _, rule, _ in before)
        if SOURCE.id in rules:  # Terraform stops there: what else is found follows from it
            rules = Counter({SOURCE.id: rules[SOURCE.id]})
        found.update(rules)
        fixed.update(rule for _, rule, _ in mended if rule in rules)
    for rule, number in sorted(found.items()):
        print(f"{rule}: {fixed[rule]} of {number} fixed")  # noqa: T201 - the numbers by rule
    of_kinds = sum(found[rule] for rule in KINDS)
    assert sum(fixed[rule] for rule in KINDS) >= LEAST * of_kinds > 0
