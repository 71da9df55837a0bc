"""What one place of the source makes of each instance for one reason is one finding, which names them all."""

from __future__ import annotations

from infraspec.core.finding import Finding, Location, Verdict, by_mistake

VIOLATED, PROVEN = Verdict.VIOLATED, Verdict.PROVEN


def found(address: str, subject: str = "", line: int = 3, reason: str = "it has none", **values: object) -> Finding:
    """Return a finding of one rule."""
    verdict = values.pop("verdict", VIOLATED)
    assert isinstance(verdict, Verdict)
    return Finding("logs", verdict, address, subject, Location("m/main.tf", line), reason=reason)


def told(*findings: Finding) -> list[tuple[str, int]]:
    """Return the address of each finding, and how many instances it is about."""
    return [(one.address, len(one.instances)) for one in by_mistake(findings)]


def test_the_instances_of_a_block() -> None:
    """The keys of a resource, and the modules that it is in, make no mistake of their own."""
    names = ['module.a.aws_x.y["b"]', 'module.a.aws_x.y["c"]', 'module.d[0].aws_x.y["b"]', "module.e.aws_x.y[0]"]

    assert [(names[0], 4)] == told(*map(found, names))


def test_what_differs_by_instance_in_the_text() -> None:
    """Addresses of instances in the reason, and names in quotes in the subject, do not tell mistakes apart."""
    one = found('aws_x.y["a"]', 'container "a", log', reason='aws_z.w["a"].arn is not listed')
    other = found('aws_x.y["b"]', 'container "b", log', reason='aws_z.w["b"].arn is not listed')

    assert [('aws_x.y["a"]', 2)] == told(one, other)
    assert 'also:        aws_x.y["b"] container "b", log' in str(by_mistake([one, other])[0])


def test_several_mistakes_of_one_instance() -> None:
    """Two secrets of one task definition are two mistakes, in each of its instances."""
    findings = [found(f"aws_x.y[{index}]", f'secret "{name}"') for index in (0, 1) for name in ("A", "B")]

    assert [("aws_x.y[0]", 2), ("aws_x.y[0]", 2)] == told(*findings)


def test_what_is_a_mistake_of_its_own() -> None:
    """Another block, line, reason or verdict is another mistake, and what is proven stays as it is."""
    findings = [
        found("aws_x.y[0]"),
        found("aws_x.z[0]"),
        found("aws_x.y[1]", line=4),
        found("aws_x.y[2]", reason="it has two"),
        found("aws_x.y[3]", verdict=PROVEN),
        found("aws_x.y[4]", verdict=PROVEN),
    ]

    assert [(one.address, 1) for one in findings] == told(*findings)
