"""Rules of a repository's own: what they may find, and what goes wrong with hooks; tests/docs runs the recipes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from infraspec.core.finding import Verdict
from infraspec.pytest_plugin.matchers import attribute, names, tags
from infraspec.terraform.plan import Plan
from tests.docs.blocks import blocks
from tests.plugin.project import CONTRACT, REFERENCE, SUITE, Project, run_suite, text_of

RECIPES = {block.heading: block.text for block in blocks("python", page="docs/own-rules.md")}

QUEUE = 'resource "aws_sqs_queue" "a" {\n  name = "hello-dev"\n}\n'


def test_recipes_are_found() -> None:
    """The page has ten recipes, and two more."""
    assert 12 == len(RECIPES)
    assert 10 == sum(title[0].isdigit() for title in RECIPES)


def with_hooks(pytester: pytest.Pytester, hooks: str, *arguments: str, hcl: str = QUEUE) -> pytest.RunResult:
    """Run the suite with a plugin that has some hooks."""
    (pytester.path / "own.py").write_text(hooks, encoding="utf-8")
    project = Project({"infraspec.toml": CONTRACT, "queues.tf": hcl})
    pytester.syspathinsert()
    return project.run(pytester, "-p", "own", *arguments)


def test_own_required_access_is_proven_or_not(pytester: pytest.Pytester) -> None:
    """A permission that a hook demands and the role does not have is a violation of secret-access."""
    hooks = RECIPES["9. What infraspec does not know of AWS"].replace(
        'if "APPCONFIG" in container.environment', "if True"
    )
    (pytester.path / "own.py").write_text(hooks, encoding="utf-8")
    pytester.syspathinsert()
    result = run_suite(pytester, REFERENCE, "-k", "secret_access", "-p", "own", "--infraspec-env", "prod")

    assert "VIOLATED secret-access: module.ecs.aws_ecs_task_definition.this container" in text_of(result)
    assert "appconfig:GetLatestConfiguration on arn:aws:appconfig:" in text_of(result)
    assert 'required by AWS: "AppConfig of the platform team"' in text_of(result)


def test_own_check_fails_with_its_findings(pytester: pytest.Pytester) -> None:
    """A finding of an own check is shown as infraspec's are, and its rule is a row of the table."""
    hooks = (
        "from infraspec.pytest_plugin.matchers import attribute\n"
        "def check(plan):\n"
        "    return [attribute('fifo', q, 'fifo_queue', bool, expected='FIFO', remedy='fifo_queue = true')\n"
        "            for q in plan.managed('aws_sqs_queue')]\n"
        "def pytest_infraspec_checks():\n    return {'fifo': check}\n"
    )
    text = text_of(with_hooks(pytester, hooks, "-k", "own_checks"))

    assert "VIOLATED fifo: aws_sqs_queue.a fifo_queue" in text
    assert re.search(r"dev +fifo +- +1 +- +-", text)


def test_no_hooks_no_test(pytester: pytest.Pytester) -> None:
    """Without own checks there is no test of them, not even a skipped one."""
    text = text_of(Project({"infraspec.toml": CONTRACT, "queues.tf": QUEUE}).run(pytester, "--collect-only", "-q"))

    assert "own_checks" not in text
    assert (SUITE / "test_own_checks.py").exists()


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ("def pytest_infraspec_checks():\n    return {'names': len}\n", "a key that is taken"),
        ("def pytest_infraspec_checks():\n    return [len]\n", "something else than a mapping"),
        ("def pytest_infraspec_name_attributes():\n    return 'name'\n", "something else than a mapping"),
        (
            "def pytest_infraspec_resources(plan):\n    return [plan.managed()[0]]\n",
            "a resource whose address the plan has already",
        ),
    ],
)
def test_wrong_answers_of_hooks(pytester: pytest.Pytester, hooks: str, message: str) -> None:
    """What a hook returns that cannot be used ends the run with exit code 4 and the hook's name."""
    result = with_hooks(pytester, hooks)

    assert result.ret == pytest.ExitCode.USAGE_ERROR, text_of(result)
    assert message in text_of(result)
    assert "pytest_infraspec_" in text_of(result)
    assert "Traceback" not in text_of(result)


def test_check_with_an_unknown_parameter(pytester: pytest.Pytester) -> None:
    """A check that asks for what there is not breaks its test, with the names that there are."""
    text = text_of(with_hooks(pytester, "def pytest_infraspec_checks():\n    return {'mine': lambda plans: []}\n"))

    assert "a check asks for something that does not exist" in text
    assert "plan, task_definitions, contract, environment" in text


@pytest.mark.parametrize(("mark", "outcome"), [("", {"errors": 1}), (", allow_empty=True", {"skipped": 1})])
def test_a_resource_that_there_is_not(pytester: pytest.Pytester, mark: str, outcome: dict[str, int]) -> None:
    """No resource of the types is an error, unless the mark allows it."""
    own = pytester.path / "test_own.py"
    own.write_text(
        f"import pytest\n@pytest.mark.resources('aws_db_instance'{mark})\ndef test_mine(resource):\n    pass\n"
    )
    result = Project({"infraspec.toml": CONTRACT, "queues.tf": QUEUE}).run(pytester, suite=own)

    assert outcome == result.parseoutcomes()


def test_resources_are_named_in_the_report(pytester: pytest.Pytester) -> None:
    """Each resource is an item with environment and address as its id, also with workers."""
    own = pytester.path / "test_own.py"
    own.write_text("import pytest\n@pytest.mark.resources('aws_sqs_queue')\ndef test_mine(resource):\n    pass\n")
    project = Project({"infraspec.toml": CONTRACT, "queues.tf": QUEUE})

    assert "test_mine[dev-aws_sqs_queue.a] PASSED" in text_of(project.run(pytester, "-v", suite=own))
    project.run(pytester, "-n", "2", suite=own).assert_outcomes(passed=1)


HCL = """
resource "aws_db_instance" "a" {
  identifier = "shop-test-a"
  backup_retention_period = 7
  storage_encrypted = aws_ssm_parameter.x.value
  tags = { Owner = "data" }
}
resource "aws_ssm_parameter" "x" {}
"""


@pytest.mark.parametrize(
    ("path", "default", "verdict", "found"),
    [
        ("backup_retention_period", None, Verdict.PROVEN, "7"),
        ("storage_encrypted", None, Verdict.UNDETERMINED, "aws_ssm_parameter.x.value"),
        ("port", None, Verdict.VIOLATED, "not set"),
        ("port", 5432, Verdict.PROVEN, "5432"),
        ("tags.Owner", None, Verdict.PROVEN, "data"),
        ("tags.Owner.0", "x", Verdict.PROVEN, "x"),
        ("restore_to_point_in_time.0.use_latest", None, Verdict.VIOLATED, "not set"),
    ],
)
def test_attribute(run_rule, path: str, default: object, verdict: Verdict, found: str) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """A value that is known is judged, an unknown one is not, and what is not set has the provider's default."""

    def check(plan: Plan) -> list[object]:
        database = plan.managed("aws_db_instance")[0]
        return [attribute("mine", database, path, bool, expected="something", remedy="write it", default=default)]

    [finding] = run_rule(check, HCL)

    assert verdict is finding.verdict
    assert found in finding.found
    assert (finding.remedy == "") is (verdict is Verdict.PROVEN)


def test_names_and_tags(run_rule) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Names and tags are judged by the syntax of the contract, under the rule's own id, of the types named alone."""
    found = run_rule(
        lambda plan, contract, environment: [
            *names("mine", plan, contract, environment, {"aws_db_instance": "{application}-{environment}-b"}),
            *tags("mine", plan, contract, environment, {"aws_db_instance": {"Owner": "data", "Tier": ["1", "2"]}}),
        ],
        HCL,
    )

    assert [("mine", Verdict.VIOLATED)] * 2 == [(finding.rule, finding.verdict) for finding in found]
    assert ["aws_db_instance.a"] * 2 == [finding.address for finding in found]
    assert "Tier" in found[1].remedy
    assert "Owner" not in found[1].remedy


def test_files_of_a_rule_test(run_rule, tmp_path: Path) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """Modules and other files stand beside the lines of HCL."""
    module = 'resource "aws_sqs_queue" "m" {}\n'
    hcl = 'module "q" {\n  source = "./q"\n}\n'

    assert ["module.q.aws_sqs_queue.m"] == run_rule(
        lambda plan: [resource.address for resource in plan.managed()], hcl, files={"q/main.tf": module}
    )


RAW = """
def test_text(raw_hcl):
    shown = [path for path in raw_hcl if path.endswith("queues.tf")]
    assert len(shown) == 1 and len(raw_hcl) == 2 and "queues.tf" in repr(raw_hcl)
    assert raw_hcl[shown[0]]["resource"][0]['"aws_sqs_queue"']['"a"']["name"] == '"hello-${var.environment}"'
    assert raw_hcl[shown[0]] is raw_hcl[shown[0]]
"""


def with_raw(pytester: pytest.Pytester, files: dict[str, str], test: str) -> str:
    """Run a test on a repository; return what pytest says."""
    suite = pytester.mkdir("own")
    (suite / "test_own.py").write_text(test, encoding="utf-8")
    project = Project({"infraspec.toml": CONTRACT, **files}, base=None)
    return text_of(project.run(pytester, suite=suite))


def test_raw_hcl_is_the_text_of_the_root_module(pytester: pytest.Pytester) -> None:
    """The files of the root module are there under the paths of findings, unevaluated: no module, no variable file."""
    files = {
        "queues.tf": '\ufeffresource "aws_sqs_queue" "a" {\n  name = "hello-${var.environment}"\n}\n',
        "more.tf": "",
        "data.tf.json": "{}",
        "terraform.tfvars": 'environment = "dev"\n',
        "modules/a/main.tf": "",
    }

    assert "1 passed" in with_raw(pytester, files, RAW)


def test_raw_hcl_names_the_place_that_cannot_be_read(pytester: pytest.Pytester) -> None:
    """A file that python-hcl2 rejects is an error at its line, and only for who asks for it."""
    good = "def test_good(raw_hcl):\n    assert raw_hcl['infra/a.tf'] == {}\n"
    bad = "def test_bad(raw_hcl):\n    raw_hcl['infra/b.tf']\n"
    text = with_raw(pytester, {"a.tf": "", "b.tf": "a = 1\nb = = 2\n"}, good + bad)

    assert "1 failed, 1 passed" in text
    assert "HclSyntaxError: infra/b.tf:2:5: python-hcl2 cannot read the file" in text


def test_raw_hcl_of_nothing_is_an_error(pytester: pytest.Pytester) -> None:
    """A root module without a .tf file is no reason to pass."""
    text = with_raw(pytester, {"a.tf.json": "{}"}, "def test_none(raw_hcl):\n    assert not raw_hcl\n")

    assert "RootMissingError: infra: the directory holds nothing that python-hcl2 reads" in text
