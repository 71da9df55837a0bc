import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest

from infraspec import contract as contracts
from infraspec.checks.process.process import check_process
from infraspec.core.finding import Finding, Verdict
from tests.process.gates import EDITS, LAYOUTS, Edit, Repo, written

_ORDER = (Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN)
WHOLE = "GATE_LAYOUTS" in os.environ
"""Whether every edit is judged in every layout; else each is in one, which its name chooses."""


def cases() -> Iterator[tuple[Edit, str]]:
    """Yield the edits with layouts for them."""
    for edit in EDITS:
        layouts = [layout for layout in LAYOUTS if layout in edit.layouts]
        yield from (
            (edit, layout) for layout in (layouts if WHOLE else [layouts[crc32(edit.name.encode()) % len(layouts)]])
        )


CASES = list(cases())


def judged(directory: Path) -> list[Finding]:
    """Return what the rule says of a repository, but of pins and permissions."""
    contract = contracts.load(directory / "infraspec.toml", environments=[])
    assert contract.process
    findings = check_process(contract, contract.process)
    return [one for one in findings if "permissions" not in one.subject and "@" not in one.subject]


def verdict_of(findings: list[Finding]) -> str:
    """Return the worst verdict of findings."""
    return min((finding.verdict for finding in findings), key=_ORDER.index).value


@pytest.mark.parametrize(("edit", "layout"), CASES, ids=[f"{edit.name}-{layout}" for edit, layout in CASES])
def test_an_edit_of_the_gate(edit: Edit, layout: str, tmp_path: Path) -> None:
    """An edit that opens the gate is violated, one that leaves it shut proven, in every layout."""
    findings = judged(written(tmp_path, layout, edit.applied(Repo())))

    assert edit.verdict == verdict_of(findings), "\n".join(
        str(one) for one in findings if one.verdict is not Verdict.PROVEN
    )
    assert all(
        one.location and one.expected and one.found and one.reason and one.remedy
        for one in findings
        if one.verdict is not Verdict.PROVEN
    )


def test_a_pipeline_of_another_system(tmp_path: Path) -> None:
    """Of a pipeline of neither GitHub nor GitLab it is not known what it runs, and nothing wrong is said of it."""
    directory = written(tmp_path, "inline", Repo(files={"Jenkinsfile": "pipeline {}\n"}))
    contract = directory / "infraspec.toml"
    text = contract.read_text(encoding="utf-8").replace('".github/workflows"', '"Jenkinsfile"')
    contract.write_text(text, encoding="utf-8")
    found = {one.subject: one.verdict for one in judged(directory)}

    assert {Verdict.UNDETERMINED} == {verdict for subject, verdict in found.items() if subject.startswith("job ")}
    assert Verdict.VIOLATED not in found.values()


@pytest.mark.parametrize(
    ("push", "expected"),
    [
        (None, Verdict.UNDETERMINED),
        ({"branches": ["**"]}, Verdict.UNDETERMINED),
        ({"branches-ignore": ["release/**"]}, Verdict.UNDETERMINED),
        ({"branches": ["*"]}, Verdict.VIOLATED),
        ({"branches": ["main"]}, Verdict.VIOLATED),
        ({"tags": ["v*"]}, Verdict.VIOLATED),
        ({"paths": ["docs/**"]}, Verdict.VIOLATED),
    ],
)
def test_a_workflow_of_pushes(tmp_path: Path, push: dict[str, list[str]] | None, expected: Verdict) -> None:
    """Where every push starts the suite, its check is on the change too, unless that comes from a fork."""
    findings = judged(written(tmp_path, "inline", Repo(on={"push": push})))
    assert [expected] == [one.verdict for one in findings if one.subject == "job static"]


@pytest.mark.parametrize(
    ("runs", "paths", "expected"),
    [
        ("terraform validate", ["terraform/**"], Verdict.PROVEN),
        ("terraform validate", ["docs/**"], Verdict.VIOLATED),
        ("infraspec check", ["terraform/**"], Verdict.VIOLATED),
        ("infraspec check", ["terraform/**", "infraspec.toml"], Verdict.PROVEN),
    ],
)
def test_a_filter_may_leave_out_what_the_job_does_not_read(
    tmp_path: Path, runs: str, paths: list[str], expected: Verdict
) -> None:
    """A change of the contract alone has to start what runs a suite, and no other program."""
    directory = written(tmp_path, "inline", Repo(run=runs, on={"pull_request": {"paths": paths}}))

    assert [expected] == [one.verdict for one in judged(asking(directory, runs)) if one.subject == "job static"]


@pytest.mark.parametrize(
    ("runs", "paths", "expected"),
    [
        ("terraform validate", ["**.tf"], Verdict.PROVEN),
        ("terraform validate -var-file=prod.tfvars", ["**.tf"], Verdict.VIOLATED),
        ("terraform validate", ["**.tfvars"], Verdict.VIOLATED),
        ("terraform -chdir=terraform/prod plan", ["**.tf"], Verdict.VIOLATED),
        ("terraform fmt -check -recursive", ["**.tf"], Verdict.VIOLATED),
        ("terraform fmt -check -recursive", ["**.tf", "**.tfvars"], Verdict.PROVEN),
        ("make check", ["**.tf", "Makefile"], Verdict.PROVEN),
    ],
)
def test_a_filter_may_leave_out_files_that_the_command_does_not_look_at(
    tmp_path: Path, runs: str, paths: list[str], expected: Verdict
) -> None:
    """`terraform validate` takes no values of variables, `plan` and `fmt` read the files that have them."""
    files = {"terraform/prod/terraform.tfvars": "", "Makefile": "check:\n\tterraform validate\n"}
    directory = written(tmp_path, "inline", Repo(run=runs, on={"pull_request": {"paths": paths}}, files=files))

    assert [expected] == [one.verdict for one in judged(asking(directory, runs)) if one.subject == "job static"]


@pytest.mark.parametrize(
    ("runs", "asked", "expected"),
    [
        ("terragrunt run-all validate --terragrunt-non-interactive", "terraform validate", Verdict.PROVEN),
        ("terragrunt run --all -- plan", "terraform plan", Verdict.PROVEN),
        ("terragrunt plan || true", "terraform plan", Verdict.VIOLATED),
        ("terragrunt run-all validate", "terraform plan", Verdict.VIOLATED),
        ("tofu validate", "terraform validate", Verdict.VIOLATED),
        ("echo terragrunt validate", "terraform validate", Verdict.VIOLATED),
    ],
)
def test_terragrunt_runs_terraform(tmp_path: Path, runs: str, asked: str, expected: Verdict) -> None:
    """Terragrunt hands its command to Terraform, so that the gate is as good as with Terraform itself."""
    directory = asking(written(tmp_path, "inline", Repo(run=runs)), asked)
    assert [expected] == [one.verdict for one in judged(directory) if one.subject == "job static"]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("dflook/terraform-plan", Verdict.UNDETERMINED),
        ("hashicorp/tfc-workflows-github/actions/create-run", Verdict.UNDETERMINED),
        ("gruntwork-io/terragrunt-action", Verdict.UNDETERMINED),
        ("hashicorp/setup-terraform", Verdict.VIOLATED),
        ("terraform-linters/setup-tflint", Verdict.VIOLATED),
        ("actions/upload-artifact", Verdict.VIOLATED),
    ],
)
def test_an_action_that_may_run_terraform(tmp_path: Path, action: str, expected: Verdict) -> None:
    """What an action of another repository runs is not known, if its name says that it is about Terraform."""
    repo = Repo(run="terraform init", after=({"uses": f"{action}@{'0' * 40}"},))
    directory = asking(written(tmp_path, "inline", repo), "terraform plan")
    assert [expected] == [one.verdict for one in judged(directory) if one.subject == "job static"]


def test_a_skipped_step_of_another_command_is_not_blamed(tmp_path: Path) -> None:
    """Where no job runs the command, the finding names the jobs that there are, and no other step."""
    skipped = {"run": "terraform fmt -check\ntouch control-plane.zip", "if": "github.event_name == 'push'"}
    directory = asking(written(tmp_path, "inline", Repo(run="terraform init", after=(skipped,))), "terraform plan")
    finding = next(one for one in judged(directory) if one.subject == "job static")

    assert finding.verdict is Verdict.VIOLATED
    assert "skipped" not in finding.found


def asking(directory: Path, command: str) -> Path:
    """Have the contract of a repository ask for another command, and return the repository."""
    contract = directory / "infraspec.toml"
    text = contract.read_text(encoding="utf-8").replace("python -m pytest --pyargs infraspec.tests_static", command)
    contract.write_text(text.replace("pytest --pyargs infraspec.tests_static", command), encoding="utf-8")
    return directory


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ("terraform fmt -check", Verdict.PROVEN),
        ("terraform fmt -recursive -check=true", Verdict.PROVEN),
        ("terraform fmt -check=false", Verdict.VIOLATED),
        ("terraform fmt", Verdict.VIOLATED),
    ],
)
def test_a_flag_with_true_is_the_flag(tmp_path: Path, runs: str, expected: Verdict) -> None:
    """Terraform reads `-check=true` as `-check`, and `-check=false` is another command."""
    directory = asking(written(tmp_path, "inline", Repo(run=runs)), "terraform fmt -check")

    assert [expected] == [one.verdict for one in judged(directory) if one.subject == "job static"]
