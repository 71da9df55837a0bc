from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import hcl2
import pytest

from bench.comparison.tools import Reported, findings, verdicts
from infraspec import contract
from infraspec.core.unknown import is_known
from infraspec.terraform.environments import Environments

ROOT = Path(__file__).parents[2]
GENERATOR = ROOT / "bench" / "generate.py"
KINDS = ("name", "tag", "secret", "log")
STACKS = 4


def generate(out: Path, *arguments: str) -> Path:
    """Run the generator as its users do."""
    command = [sys.executable, str(GENERATOR), str(out), "--stacks", str(STACKS), *arguments]
    subprocess.run(command, check=True, capture_output=True)
    return out


def files(directory: Path) -> dict[str, bytes]:
    """Return every file below a directory by its path."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def expected(out: Path) -> dict[str, Any]:
    """Return what the generator says it planted."""
    document: dict[str, Any] = json.loads((out / "expected.json").read_text("utf-8"))
    return document


def planned(out: Path) -> dict[str, Any]:
    """Return the plan."""
    document: dict[str, Any] = json.loads((out / "plan" / "plan.json").read_text("utf-8"))
    return document


def check(directory: Path) -> str:
    """Run the static suite on a tree and return what it printed; it must neither break nor warn."""
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "tests_static"]
    done = subprocess.run(
        [*command, "--infraspec-dir", str(directory)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    return done.stdout


def changes(out: Path) -> Mapping[str, Any]:
    """Return the planned values by address."""
    return {change["address"]: change["change"]["after"] for change in planned(out)["resource_changes"]}


def declared(directory: Path) -> Iterator[str]:
    """Yield the addresses of the managed resources that python-hcl2 reads in a module directory."""
    for path in sorted(directory.glob("*.tf")):
        for block in hcl2.loads(path.read_text("utf-8")).get("resource", []):
            ((type_, named),) = block.items()
            yield f"{type_}.{next(iter(named))}".replace('"', "")


def is_block(value: object) -> bool:
    """Tell whether a value is that of nested blocks."""
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def decoded(value: object) -> object:
    """Return what JSON text stands for, and every other value as it is."""
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree without violations, with a plan."""
    return generate(tmp_path_factory.mktemp("clean"), "--plan", "update")


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree with every kind of violation in two of its stacks, with a plan."""
    return generate(tmp_path_factory.mktemp("planted"), "--plan", "update", "--plant", f"{','.join(KINDS)}:2")


def test_same_arguments_write_the_same_bytes(planted: Path, tmp_path: Path) -> None:
    """The output depends on the arguments alone."""
    again = generate(tmp_path, "--plan", "update", "--plant", f"{','.join(KINDS)}:2")
    assert files(planted) == files(again)


def test_no_placeholder_is_left(planted: Path) -> None:
    """Every placeholder of the templates is filled in."""
    assert [name for name, content in files(planted).items() if b"@" in content] == []


def test_violations_are_spread_over_the_stacks(planted: Path) -> None:
    """Each kind stands in as many stacks as was asked for, evenly spread."""
    found = [(item["kind"], item["stack"]) for item in expected(planted)["violations"]]
    assert [(kind, stack) for stack in ("payments-0000", "catalog-0002") for kind in KINDS] == found


@pytest.mark.parametrize(
    ("kind", "line", "cause"),
    [
        ("name", 'identifier = "${local.app}_DB"', 'identifier = "${local.app}_DB"'),
        ("tag", "tags = {", "tags = {"),
        ("secret", "valueFrom = aws_secretsmanager_secret.webhook_token.arn", "Resource = ["),
        (
            "log",
            "awslogs-group = module.observability.log_group_name",
            'Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/ecs/${local.prefix}"',
        ),
    ],
)
def test_lines_point_at_what_was_planted(planted: Path, kind: str, line: str, cause: str) -> None:
    """File and line of a violation hold its subject, those of its cause what was made wrong."""
    violations = [item for item in expected(planted)["violations"] if item["kind"] == kind]

    def text(file: str, number: int) -> str:
        return " ".join((planted / "tf" / file).read_text("utf-8").splitlines()[number - 1].split())

    assert [(line, cause)] * 2 == [
        (text(item["file"], item["line"]), text(item["cause_file"], item["cause_line"])) for item in violations
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_planted_alone(clean: Path, tmp_path: Path, kind: str) -> None:
    """A planted violation changes the file of its cause and nothing else of the source."""
    out = generate(tmp_path, "--plant", kind)
    (violation,) = expected(out)["violations"]
    before, after = files(clean / "tf"), files(out / "tf")
    assert [violation["cause_file"]] == [name for name in before if before[name] != after[name]]
    assert before.keys() == after.keys()


@pytest.mark.parametrize("layout", ["single", "roots"])
def test_python_hcl2_reads_every_file(tmp_path: Path, layout: str) -> None:
    """The source is HCL, and every stack has thirty managed resources with those of the module it calls."""
    out = generate(tmp_path, "--layout", layout, "--plant", f"{','.join(KINDS)}:{STACKS}")
    shared = len(list(declared(out / "tf" / "modules" / "observability")))
    counts = [len(list(declared(stack))) + shared for stack in sorted((out / "tf" / "stacks").iterdir())]
    assert counts == [30] * STACKS
    for path in sorted((out / "tf").rglob("*.tf")):
        hcl2.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("mode", ["update", "create"])
def test_plan_and_source_have_the_same_addresses(tmp_path: Path, mode: str) -> None:
    """The plan has every managed resource of the source, and no other."""
    out = generate(tmp_path, "--plan", mode)
    shared = list(declared(out / "tf" / "modules" / "observability"))
    wanted: set[str] = set()
    for stack in (out / "tf" / "stacks").iterdir():
        module = f"module.{stack.name.replace('-', '_')}"
        wanted |= {f"{module}.{address}" for address in declared(stack)}
        wanted |= {f"{module}.module.observability.{address}" for address in shared}
    assert wanted == set(changes(out))


def test_plan_has_what_was_planted(planted: Path) -> None:
    """The violations of the source are those of the plan."""
    found = changes(planted)
    stack = "module.payments_0000"
    policy = json.loads(found[f"{stack}.aws_iam_role_policy.execution"]["policy"])
    grants = {statement["Sid"]: statement["Resource"] for statement in policy["Statement"]}
    assert found[f"{stack}.aws_db_instance.this"]["identifier"] == "payments-0000_DB"
    assert "CostCenter" not in found[f"{stack}.aws_secretsmanager_secret.api_key"]["tags_all"]
    assert "webhook_token" not in str(grants["ReadSecrets"])
    assert grants["WriteLogs"].endswith(":log-group:/ecs/prod-payments-0000")


def test_plan_has_the_values_of_the_source(planted: Path) -> None:
    """What is known from the source is planned with the same value, blocks aside, which a provider completes."""
    environments = Environments(contract.load(planted / "tf"), environ={})
    found = changes(planted)
    differing = [
        f"{resource.address}.{name}"
        for resource in environments.plan("prod").managed()
        for name, value in resource.values.items()
        if is_known(value) and not is_block(value) and decoded(value) != decoded(found[resource.address].get(name))
    ]
    assert differing == []


def by_access(found: Iterable[Reported]) -> tuple[list[Reported], list[Reported]]:
    """Set apart what the rule `policies` says: a log group without its streams is a fault of the policy as well."""
    parts: tuple[list[Reported], list[Reported]] = [], []
    for finding in found:
        parts[finding.rule == "policies"].append(finding)
    return parts


@pytest.mark.parametrize("layout", ["single", "roots"])
def test_suite_reports_what_was_planted_and_nothing_else(tmp_path: Path, layout: str) -> None:
    """Every planted violation is found where it stands, by its rule, and nothing else is reported."""
    out = generate(tmp_path, "--layout", layout, "--plant", f"{','.join(KINDS)}:2")
    output = check(out / "tf")
    wanted = {(item["file"], item["line"], item["rule"], item["address"]) for item in expected(out)["violations"]}
    found, twice = by_access(findings(output))

    assert len(wanted) == 2 * len(KINDS)
    assert len(twice) == 2
    assert wanted == {(finding.file, finding.line, finding.rule, finding.address) for finding in found}
    assert ["VIOLATED"] * len(wanted) == [finding.verdict for finding in found]
    assert len(found) + len(twice) == output.count("    found:  ")


def test_suite_reports_what_was_planted_in_a_plan(planted: Path) -> None:
    """In a plan file alone, without source, the same violations are found."""
    wanted = {(item["rule"], item["address"]) for item in expected(planted)["violations"]}
    found, twice = by_access(findings(check(planted / "plan")))
    assert len(twice) == 2
    assert wanted == {(finding.rule, finding.address) for finding in found}
    assert ["VIOLATED"] * 8 == [finding.verdict for finding in found]  # actions on one resource are one finding


@pytest.mark.parametrize("folder", ["tf", "plan"])
def test_suite_reports_nothing_of_a_clean_tree(clean: Path, folder: str) -> None:
    """A tree without violations has no finding that is not proven."""
    output = check(clean / folder)
    assert [] == list(findings(output))
    assert "failed" not in output
    assert verdicts(output) > 50 * STACKS


def test_first_plan_knows_no_arn(tmp_path: Path) -> None:
    """A plan that creates everything leaves ARNs, and what holds them, unknown until apply."""
    document = planned(generate(tmp_path, "--plan", "create"))
    (task,) = [
        c for c in document["resource_changes"] if c["address"].endswith("payments_0000.aws_ecs_task_definition.this")
    ]
    assert "container_definitions" not in task["change"]["after"]
    assert task["change"]["after_unknown"]["container_definitions"] is True
    assert "prior_state" not in document


@pytest.mark.parametrize(
    ("arguments", "folder", "environments"),
    [
        (("--layout", "single"), "tf", ["prod"]),
        (("--layout", "roots"), "tf", ["payments-0000", "orders-0001", "catalog-0002", "identity-0003"]),
        (("--plan", "update"), "plan", ["prod"]),
    ],
)
def test_contract_is_valid(tmp_path: Path, arguments: tuple[str, ...], folder: str, environments: list[str]) -> None:
    """The contract of a tree loads, and everything it names exists."""
    loaded = contract.load(generate(tmp_path, *arguments) / folder)
    assert environments == list(loaded.environments)


@pytest.mark.parametrize(
    "arguments",
    [("--layout", "roots", "--plan", "update"), ("--plant", "colour"), ("--plant", "name:9"), ("--plant", "name:x")],
)
def test_arguments_that_cannot_be_met_are_errors(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """What the generator cannot do is a usage error, and nothing is written."""
    command = [sys.executable, str(GENERATOR), str(tmp_path / "out"), "--stacks", str(STACKS), *arguments]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (2, False)
