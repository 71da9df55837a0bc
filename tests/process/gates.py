"""A small repository with a merge gate, in several layouts, and edits that open it or leave it shut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

SUITE = "python -m pytest --pyargs infraspec.tests_static"
_PIN = "@0123456789012345678901234567890123456789"
CHECKOUT = {"uses": f"actions/checkout{_PIN}"}
CONTRACT = """
[project]
application = "shop"

[environments.dev]
root = "terraform/dev"
account_id = "111122223333"
region = "eu-west-1"

[environments.prod]
root = "terraform/prod"
account_id = "123456789012"
region = "eu-west-1"

[process]
branch = "main"
codeowners = ".github/CODEOWNERS"
owned = ["terraform/prod/main.tf"]
workflows = ".github/workflows"
ruleset = ".github/rulesets/main.json"

[process.jobs]
static = {{ event = "pull_request", runs = "{runs}" }}
nightly = {{ event = "schedule", runs = "infraspec check --live" }}
"""


class Repo(Struct, frozen=True):
    """The parts of the repository; `run` has `SUITE` where the command of the layout goes."""

    run: str = "SUITE"
    step: Mapping[str, Any] = {}
    before: tuple[Mapping[str, Any], ...] = ()
    after: tuple[Mapping[str, Any], ...] = ()
    checkout: Mapping[str, Any] = {}
    job: Mapping[str, Any] = field(default_factory=lambda: {"name": "static suite"})
    on: Mapping[str, Any] = field(default_factory=lambda: {"pull_request": None})
    workflow: Mapping[str, Any] = {}
    jobs: Mapping[str, Any] = {}
    recipe: str = "SUITE"
    head: str = ""
    target: str = ".PHONY: test-static\ntest-static:"
    rules: Mapping[str, Any] = {}
    review: Mapping[str, Any] = {}
    checks: tuple[Mapping[str, Any], ...] = ({"context": "static suite", "integration_id": 15368},)
    owners: str = "* @example/platform\n"
    schedule: str = "17 3 * * *"
    nightly: Mapping[str, Any] = {}
    files: Mapping[str, str] = {}


def ruleset(repo: Repo) -> str:
    """Return the ruleset of the branch."""
    review = {
        "required_approving_review_count": 1,
        "dismiss_stale_reviews_on_push": True,
        "require_code_owner_review": True,
        "require_last_push_approval": True,
    }
    status = {"strict_required_status_checks_policy": True, "required_status_checks": list(repo.checks)}
    base = {
        "target": "branch",
        "enforcement": "active",
        "bypass_actors": [],
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [
            {"type": "pull_request", "parameters": {**review, **repo.review}},
            {"type": "required_status_checks", "parameters": status},
        ],
    }
    return json.dumps({**base, **repo.rules}, indent=1)


def _workflow(repo: Repo, job: Mapping[str, Any]) -> str:
    jobs = {"static": {"runs-on": "ubuntu-24.04", **repo.job, **job}, **repo.jobs}
    return json.dumps({"on": repo.on, "permissions": {}, **repo.workflow, "jobs": jobs}, indent=1)


def _steps(repo: Repo, run: Mapping[str, Any]) -> list[Any]:
    return [{**CHECKOUT, **repo.checkout}, *repo.before, {**run, **repo.step}, *repo.after]


def inline(repo: Repo) -> dict[str, str]:
    """Have a step run the suite."""
    return {
        ".github/workflows/pr.yml": _workflow(repo, {"steps": _steps(repo, {"run": repo.run.replace("SUITE", SUITE)})})
    }


def make(repo: Repo) -> dict[str, str]:
    """Have a target of the makefile run it."""
    recipe = "".join(f"\t{line}\n" for line in repo.recipe.replace("SUITE", SUITE).splitlines())
    steps = _steps(repo, {"run": repo.run.replace("SUITE", "make test-static")})
    return {
        ".github/workflows/pr.yml": _workflow(repo, {"steps": steps}),
        "Makefile": f"{repo.head}\n{repo.target}\n{recipe}",
    }


def composite(repo: Repo) -> dict[str, str]:
    """Have an action of the repository run it."""
    step = {"run": repo.run.replace("SUITE", SUITE), "shell": "sh", **repo.step}
    action = {"name": "suite", "runs": {"using": "composite", "steps": [*repo.before, step, *repo.after]}}
    steps = [{**CHECKOUT, **repo.checkout}, {"uses": "./.github/actions/suite"}]
    return {
        ".github/workflows/pr.yml": _workflow(repo, {"steps": steps}),
        ".github/actions/suite/action.yml": json.dumps(action, indent=1),
    }


def reusable(repo: Repo) -> dict[str, str]:
    """Have a workflow run it that the one for pull requests calls."""
    called = replace(repo, on={"workflow_call": None}, job={**repo.job, "name": "suite"}, jobs={})
    calling = {key: value for key, value in repo.job.items() if key in {"if", "needs", "strategy", "name"}}
    inner = {key: value for key, value in repo.job.items() if key not in {"if", "needs", "strategy"}}
    called = replace(called, job={**inner, "name": "suite"})
    jobs = {"static": {**calling, "uses": "./.github/workflows/suite.yml"}, **repo.jobs}
    return {
        ".github/workflows/pr.yml": json.dumps({"on": repo.on, "permissions": {}, "jobs": jobs}, indent=1),
        ".github/workflows/suite.yml": inline(called)[".github/workflows/pr.yml"],
    }


def script(repo: Repo) -> dict[str, str]:
    """Have a script of the repository run it."""
    text = "#!/usr/bin/env bash\nset -e\n" + repo.run.replace("SUITE", SUITE) + "\n"
    return {
        ".github/workflows/pr.yml": _workflow(repo, {"steps": _steps(repo, {"run": "./ci/test.sh"})}),
        "ci/test.sh": text,
    }


LAYOUTS: Mapping[str, Callable[[Repo], dict[str, str]]] = {
    one.__name__: one for one in (inline, make, composite, reusable, script)
}
"""Where the suite is run."""


def written(directory: Path, layout: str, repo: Repo) -> Path:
    """Write a repository in a layout."""
    checks = repo.checks
    if layout == "reusable":
        checks = tuple(
            {**one, "context": f"{one['context']} / suite"} if str(one["context"]).startswith("static suite") else one
            for one in checks
        )
    runs = "make test-static" if layout == "make" else "pytest --pyargs infraspec.tests_static"
    nightly = {
        "on": {"schedule": [{"cron": repo.schedule}]},
        "permissions": {},
        "jobs": {
            "nightly": {
                "runs-on": "ubuntu-24.04",
                "steps": [CHECKOUT, {"run": "infraspec check --live"}],
                **repo.nightly,
            }
        },
    }
    files = {
        "infraspec.toml": CONTRACT.format(runs=runs),
        "terraform/dev/main.tf": "",
        "terraform/prod/main.tf": "",
        ".github/CODEOWNERS": repo.owners,
        ".github/rulesets/main.json": ruleset(replace(repo, checks=checks)),
        ".github/workflows/nightly.yml": json.dumps(nightly, indent=1),
        **LAYOUTS[layout](repo),
        **repo.files,
    }
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return directory


class Edit(Struct, frozen=True):
    """A change of the repository, and what has to be said of it."""

    name: str
    parts: Mapping[str, Any]
    verdict: str
    layouts: frozenset[str] = frozenset(LAYOUTS)

    def applied(self, repo: Repo) -> Repo:
        """Return the repository with the change."""
        changes = {
            key: {**getattr(repo, key), **value} if isinstance(value, Mapping) else value
            for key, value in self.parts.items()
        }
        return replace(repo, **changes)


_SHELL_OPEN = {
    "or true": "SUITE || true",
    "or colon": "SUITE || :",
    "or echo": "SUITE || echo failed",
    "or exit 0": "SUITE || exit 0",
    "echoed": "echo SUITE",
    "commented": "# SUITE\ntrue",
    "quoted": "echo 'SUITE'",
    "a here-document": "cat <<EOF\nSUITE\nEOF",
    "set +e and more": "set +e\nSUITE\necho done",
    "semicolon true": "set +e\nSUITE; true",
    "background": "SUITE &",
    "exit before": "exit 0\nSUITE",
    "negated": "! SUITE",
    "if without else": "if SUITE; then echo fine; fi",
    "if with an else": "if SUITE; then echo fine; else echo bad; fi",
    "a function that is not called": "suite() { SUITE; }\necho suite",
    "a trap": "trap 'exit 0' EXIT\nSUITE",
    "only on failure of another": "npm run lint || SUITE",
    "false and": "false && SUITE || true",
    "within a substitution": "echo $(SUITE)",
    "a declared variable": "export RESULT=$(SUITE)",
    "a branch that is never taken": "if false; then SUITE; fi",
    "status thrown away": "SUITE || rc=$?\necho $rc",
    "case that never fits": "case linux in windows) SUITE;; esac",
    "in a subshell that goes on": "(SUITE || true)",
    "loop over nothing": "while false; do SUITE; done",
    "collected only": "SUITE --collect-only",
    "keyword": "SUITE -k names",
    "deselected": "SUITE --deselect infraspec.tests_static.test_rules::test_names",
    "one environment": "SUITE --infraspec-env dev",
    "help": "SUITE --help",
    "bash of something else": "bash -c 'echo SUITE'",
    "pushed into true": "SUITE || { echo 'it failed'; }",
    "ignored by another list": "SUITE && echo good || echo bad",
    "a pipe": "SUITE | tee log",
    "a pipe into true": "SUITE 2>&1 | cat",
}
_SHELL_UNCLEAR = {
    "if a variable is set": 'if [ -n "$RUN_SUITE" ]; then SUITE; fi',
    "options from a variable": "SUITE $MORE_OPTIONS",
    "another program runs it": "retry-command SUITE",
    "an unknown option": "SUITE --some-plugin-option",
    "evaluated": 'eval "$PREPARE SUITE"',
    "other directory": "SUITE --infraspec-dir other",
}
_SHELL_SHUT = {
    "set -e": "set -e\nSUITE",
    "strict": "set -euo pipefail\nSUITE",
    "a pipe with pipefail": "set -o pipefail\nSUITE | tee log",
    "exported": "export LANG=C\nSUITE",
    "after echo": "echo running\nSUITE",
    "before echo": "SUITE\necho done",
    "commented too": "# the suite\nSUITE",
    "joined": "echo running && SUITE",
    "status kept": "rc=0\nSUITE || rc=$?\necho $rc\nexit $rc",
    "exits": "SUITE || exit 1",
    "exits with a message": "SUITE || { echo 'it failed'; exit 1; }",
    "if not": "if ! SUITE; then exit 1; fi",
    "waited for": "SUITE &\nwait $!",
    "with a timeout": "timeout 10m SUITE",
    "in its environment": "env LANG=C SUITE",
    "in bash": "bash -c 'SUITE'",
    "in a subshell": "(SUITE)",
    "in a group": "{ SUITE; }",
    "in a function": "suite() { SUITE; }\nsuite",
    "a trap that cleans up": "trap 'rm -f log' EXIT\nSUITE",
    "set +e around another": "set +e\necho prepare\nset -e\nSUITE",
    "quiet": "SUITE -q",
    "in processes": "SUITE -n auto --junitxml report.xml",
    "continued": "SUITE \\\n  --tb short",
    "redirected": "SUITE > log.txt 2>&1",
    "negation that is checked": "if SUITE; then echo fine; else exit 1; fi",
    "retried": "for i in 1 2 3; do SUITE && exit 0; done\nexit 1",
    "each environment": "for env in dev prod; do SUITE --infraspec-env $env; done",
}
_PYTEST_ONLY = {
    "collected only",
    "keyword",
    "deselected",
    "help",
    "one environment",
    "an unknown option",
    "other directory",
}
_PYTEST_ONLY |= {"quiet", "in processes", "continued", "each environment", "options from a variable"}


def _of_the_shell() -> Iterator[Edit]:
    for verdict, table in (("violated", _SHELL_OPEN), ("undetermined", _SHELL_UNCLEAR), ("proven", _SHELL_SHUT)):
        for name, run in table.items():
            without = {"make"} if name in _PYTEST_ONLY else set()
            yield Edit(name, {"run": run}, verdict, frozenset(LAYOUTS) - without)
    for name in (
        "or true",
        "echoed",
        "collected only",
        "keyword",
        "one environment",
        "or echo",
        "negated",
        "background",
    ):
        yield Edit(f"recipe: {name}", {"recipe": _SHELL_OPEN[name]}, "violated", frozenset({"make"}))
    for name in ("quiet", "in processes", "redirected", "exits", "in a subshell"):
        yield Edit(f"recipe: {name}", {"recipe": _SHELL_SHUT[name]}, "proven", frozenset({"make"}))


_NEED = {"runs-on": "ubuntu-24.04", "steps": [CHECKOUT, {"run": "npm run lint"}]}
_FREE = "contains(github.event.pull_request.labels.*.name, 'ready')"
_WHOLE = frozenset(LAYOUTS)
_JOBS = frozenset({"inline", "make", "script", "composite"})
_STEPS = frozenset({"inline", "make", "reusable"})
_INLINE = frozenset({"inline"})
_MAKE = frozenset({"make"})


def _of_jobs() -> Iterator[Edit]:
    def job(edit: str, verdict: str, layouts: frozenset[str] = _WHOLE, /, **parts: Any) -> Edit:
        return Edit(edit, {"job": parts}, verdict, layouts)

    yield job("job if false", "violated", _WHOLE, **{"if": False})
    yield job("job if false in braces", "violated", _WHOLE, **{"if": "${{ false }}"})
    yield job("job for labels only", "violated", _WHOLE, **{"if": _FREE})
    yield job("job not for drafts", "violated", _WHOLE, **{"if": "github.event.pull_request.draft == false"})
    yield job("job not for a person", "violated", _WHOLE, **{"if": "github.actor != 'dependabot[bot]'"})
    yield job("job on push only", "violated", _WHOLE, **{"if": "github.event_name == 'push'"})
    yield job("job on the branch only", "violated", _WHOLE, **{"if": "github.ref == 'refs/heads/main'"})
    yield job("job by a variable", "undetermined", _WHOLE, **{"if": "vars.SUITE == 'on'"})
    yield job("job in its repository", "undetermined", _WHOLE, **{"if": "github.repository == 'example/shop'"})
    yield job("job if true", "proven", _WHOLE, **{"if": True})
    yield job("job on pull requests", "proven", _WHOLE, **{"if": "github.event_name == 'pull_request'"})
    yield job("job always", "proven", _WHOLE, **{"if": "always()"})
    yield job("job whoever", "proven", _WHOLE, **{"if": "github.actor == 'a' || github.actor != 'a'"})
    yield job("job for the branch", "proven", _WHOLE, **{"if": "github.base_ref == 'main'"})
    yield job("job continues on error", "violated", _JOBS, **{"continue-on-error": True})
    yield job("job does not continue", "proven", _JOBS, **{"continue-on-error": False})
    yield job("job with a time limit", "proven", _JOBS, **{"timeout-minutes": 15})
    yield job("job without time", "undetermined", _JOBS, **{"timeout-minutes": 0})
    yield job("renamed job", "violated", name="suite of tests")
    yield job("matrix that renames", "violated", strategy={"matrix": {"os": ["a", "b"]}})
    yield job("matrix that renames to one", "violated", strategy={"matrix": {"python": ["3.12"]}})
    yield Edit(
        "matrix with all names required",
        {
            "job": {"strategy": {"matrix": {"os": ["a", "b"]}}},
            "checks": ({"context": "static suite (a)"}, {"context": "static suite (b)"}),
        },
        "proven",
        _JOBS,
    )
    yield Edit(
        "matrix that keeps the name",
        {"job": {"name": "${{ matrix.name }}", "strategy": {"matrix": {"include": [{"name": "static suite"}]}}}},
        "proven",
        _JOBS,
    )
    yield Edit("needs another job", {"job": {"needs": "lint"}, "jobs": {"lint": _NEED}}, "violated", _JOBS)
    yield Edit(
        "needs another job, always",
        {"job": {"needs": "lint", "if": "always()"}, "jobs": {"lint": _NEED}},
        "proven",
    )
    yield Edit(
        "needs another job that is required",
        {
            "job": {"needs": ["lint"]},
            "jobs": {"lint": _NEED},
            "checks": ({"context": "static suite"}, {"context": "lint"}),
        },
        "proven",
        _JOBS,
    )
    yield Edit(
        "a job that sums up",
        {
            "jobs": {
                "all": {
                    "name": "all",
                    "needs": ["static"],
                    "if": "always()",
                    "runs-on": "ubuntu-24.04",
                    "steps": [
                        {
                            "run": "exit 1",
                            "if": "contains(needs.*.result, 'failure') || contains(needs.*.result, 'skipped')",
                        }
                    ],
                }
            },
            "checks": ({"context": "all"},),
        },
        "proven",
    )
    yield Edit(
        "a job that sums up and is skipped",
        {
            "jobs": {
                "all": {"name": "all", "needs": ["static"], "runs-on": "ubuntu-24.04", "steps": [{"run": "echo ok"}]}
            },
            "checks": ({"context": "all"},),
        },
        "violated",
    )
    yield Edit(
        "a job that sums up without looking",
        {
            "jobs": {
                "all": {
                    "name": "all",
                    "needs": ["static"],
                    "if": "always()",
                    "runs-on": "x",
                    "steps": [{"run": "echo ok"}],
                }
            },
            "checks": ({"context": "all"},),
        },
        "violated",
    )
    yield Edit("another job", {"jobs": {"lint": _NEED}}, "proven")
    yield Edit(
        "another job of the name",
        {
            "files": {
                ".github/workflows/other.yml": json.dumps(
                    {
                        "on": "pull_request",
                        "permissions": {},
                        "jobs": {"x": {**_NEED, "name": "static suite", "permissions": {}}},
                    }
                )
            }
        },
        "undetermined",
        _JOBS,
    )


def _of_steps() -> Iterator[Edit]:
    yield Edit("step if false", {"step": {"if": False}}, "violated", _STEPS)
    yield Edit("step on failure", {"step": {"if": "failure()"}}, "violated", _STEPS)
    yield Edit("step on labels", {"step": {"if": _FREE}}, "violated", _STEPS)
    yield Edit("step always", {"step": {"if": "always()"}}, "proven", _STEPS)
    yield Edit("step on success", {"step": {"if": "${{ success() }}"}}, "proven", _STEPS)
    yield Edit("step renamed", {"step": {"name": "Run it"}}, "proven")
    yield Edit("step continues on error", {"step": {"continue-on-error": True}}, "violated", _STEPS)
    yield Edit(
        "step continues on error by an expression",
        {"step": {"continue-on-error": "${{ github.event_name == 'pull_request' }}"}},
        "violated",
        _STEPS,
    )
    yield Edit(
        "step does not continue",
        {"step": {"continue-on-error": "${{ github.event_name == 'push' }}"}},
        "proven",
        _STEPS,
    )
    yield Edit(
        "step continues, and is looked at",
        {
            "step": {"continue-on-error": True, "id": "suite"},
            "after": ({"run": "exit 1", "shell": "bash", "if": "steps.suite.outcome == 'failure'"},),
        },
        "proven",
        _STEPS,
    )
    yield Edit(
        "step in another shell", {"step": {"shell": "python"}}, "undetermined", frozenset({"inline", "reusable"})
    )
    yield Edit(
        "step in a shell without -e", {"step": {"shell": "bash {0}"}, "run": "SUITE\necho done"}, "violated", _STEPS
    )
    yield Edit("pipe in bash", {"step": {"shell": "bash"}, "run": "SUITE | tee log"}, "proven", _STEPS)
    yield Edit("step in another directory", {"step": {"working-directory": "terraform"}}, "violated", _MAKE)
    yield Edit("step in this directory", {"step": {"working-directory": "."}}, "proven", _STEPS)
    yield Edit("a step before", {"before": ({"run": "echo hello", "shell": "bash"},)}, "proven")
    yield Edit("a step after", {"after": ({"run": "echo hello", "shell": "bash", "if": "always()"},)}, "proven")
    yield Edit("checkout of the base", {"checkout": {"with": {"ref": "main"}}}, "violated")
    yield Edit(
        "checkout of the head", {"checkout": {"with": {"ref": "${{ github.event.pull_request.head.sha }}"}}}, "proven"
    )
    yield Edit("checkout without credentials", {"checkout": {"with": {"persist-credentials": False}}}, "proven")
    yield Edit(
        "options in the environment", {"workflow": {"env": {"PYTEST_ADDOPTS": "--collect-only"}}}, "violated", _JOBS
    )
    yield Edit("options in the job's environment", {"job": {"env": {"PYTEST_ADDOPTS": "-k names"}}}, "violated", _JOBS)
    yield Edit(
        "options written for later",
        {"before": ({"run": "echo 'PYTEST_ADDOPTS=--co' >> $GITHUB_ENV", "shell": "bash"},)},
        "violated",
        _STEPS,
    )
    yield Edit("harmless options", {"workflow": {"env": {"PYTEST_ADDOPTS": "-q --color yes"}}}, "proven", _JOBS)
    yield Edit("one environment by a variable", {"workflow": {"env": {"INFRASPEC_ENV": "dev"}}}, "violated", _JOBS)
    yield Edit("options in pytest.ini", {"files": {"pytest.ini": "[pytest]\naddopts = --collect-only\n"}}, "violated")
    yield Edit("harmless pytest.ini", {"files": {"pytest.ini": "[pytest]\naddopts = -ra\n"}}, "proven")


def _of_triggers() -> Iterator[Edit]:
    def on(name: str, verdict: str, event: Any, **more: Any) -> Edit:
        return Edit(name, {"on": {"pull_request": event, **more}}, verdict)

    yield on("labels only", "violated", {"types": ["labeled"]})
    yield on("opened only", "violated", {"types": ["opened"]})
    yield on("more types", "proven", {"types": ["opened", "synchronize", "reopened", "edited", "ready_for_review"]})
    yield on("another branch", "violated", {"branches": ["develop"]})
    yield on("all branches but this", "violated", {"branches-ignore": ["main"]})
    yield on("this branch", "proven", {"branches": ["main", "release/**"]})
    yield on("all branches", "proven", {"branches": ["**"]})
    yield on("no branch after all", "violated", {"branches": ["**", "!main"]})
    yield on("paths of documents", "violated", {"paths": ["docs/**"]})
    yield on("paths of one environment", "violated", {"paths": ["terraform/prod/**", "infraspec.toml"]})
    yield on("paths ignored", "violated", {"paths-ignore": ["terraform/**"]})
    yield on("all paths", "proven", {"paths": ["**"]})
    yield on(
        "paths of everything relevant",
        "proven",
        {"paths": ["terraform/**", "infraspec.toml", ".github/**", "Makefile"]},
    )
    yield on("paths without the contract", "violated", {"paths": ["terraform/**", ".github/**", "Makefile"]})
    yield on("documents ignored", "proven", {"paths-ignore": ["docs/**", "**.md"]})
    yield on("on push too", "proven", None, push={"branches": ["main"]})
    yield on("by hand too", "proven", None, workflow_dispatch=None)
    yield Edit("on push", {"on": {"pull_request": None}, "files": {}}, "proven")
    yield Edit(
        "drafts, and again when ready",
        {
            "on": {"pull_request": {"types": ["opened", "synchronize", "reopened", "ready_for_review"]}},
            "job": {"if": "github.event.pull_request.draft == false"},
        },
        "proven",
    )


def _of_rules() -> Iterator[Edit]:
    def rules(name: str, verdict: str, **parts: Any) -> Edit:
        return Edit(name, {"rules": parts}, verdict, _INLINE)

    def named(*include: str, exclude: tuple[str, ...] = ()) -> dict[str, Any]:
        return {"ref_name": {"include": list(include), "exclude": list(exclude)}}

    yield rules("evaluated only", "violated", enforcement="evaluate")
    yield rules("disabled", "violated", enforcement="disabled")
    yield rules("for tags", "violated", target="tag")
    yield rules("for another branch", "violated", conditions=named("refs/heads/develop"))
    yield rules("but this branch", "violated", conditions=named("~ALL", exclude=("refs/heads/main",)))
    yield rules("for this branch", "proven", conditions=named("refs/heads/main"))
    yield rules("for all branches", "proven", conditions=named("~ALL", exclude=("refs/heads/try/**/*",)))
    yield rules("by a pattern", "proven", conditions=named("refs/heads/m*"))
    yield rules(
        "writers are exempt",
        "violated",
        bypass_actors=[{"actor_id": 4, "actor_type": "RepositoryRole", "bypass_mode": "always"}],
    )
    yield rules(
        "a team is exempt",
        "undetermined",
        bypass_actors=[{"actor_id": 77, "actor_type": "Team", "bypass_mode": "always"}],
    )
    yield rules(
        "an app is exempt",
        "undetermined",
        bypass_actors=[{"actor_id": 9, "actor_type": "Integration", "bypass_mode": "pull_request"}],
    )
    yield rules(
        "administrators are exempt",
        "proven",
        bypass_actors=[{"actor_id": 1, "actor_type": "OrganizationAdmin", "bypass_mode": "always"}],
    )
    yield rules("without saying who is exempt", "undetermined", bypass_actors=None)
    for name, verdict, parts in (
        ("no review", "violated", {"required_approving_review_count": 0}),
        ("two reviews", "proven", {"required_approving_review_count": 2}),
        ("no owners", "violated", {"require_code_owner_review": False}),
        ("stale reviews", "violated", {"dismiss_stale_reviews_on_push": False, "require_last_push_approval": False}),
        ("conversations resolved", "proven", {"required_review_thread_resolution": True}),
    ):
        yield Edit(name, {"review": parts}, verdict, _INLINE)
    yield Edit("no check", {"checks": ()}, "violated")
    yield Edit("check of another name", {"checks": ({"context": "static"},)}, "violated")
    yield Edit("check of another app", {"checks": ({"context": "static suite", "integration_id": 4711},)}, "violated")
    yield Edit("check of any app", {"checks": ({"context": "static suite"},)}, "proven")
    yield Edit("another check too", {"checks": ({"context": "static suite"}, {"context": "licences"})}, "proven")


def _of_owners() -> Iterator[Edit]:
    def owners(name: str, verdict: str, text: str) -> Edit:
        return Edit(name, {"owners": text}, verdict, _INLINE)

    yield owners("no owner of workflows", "violated", "* @example/platform\n/.github/workflows/\n")
    yield owners("no owner of owners", "violated", "* @example/platform\n/.github/CODEOWNERS\n")
    yield owners("no owner of Terraform", "violated", "* @example/platform\n*.tf\n")
    yield owners("owners of documents only", "violated", "/docs/ @example/writers\n")
    yield owners("an owner that is none", "violated", "* platform\n")
    yield owners("a pattern that is none", "violated", "!* @example/platform\n/docs/ @a\n")
    yield owners("overridden by a line without owner", "violated", "/terraform/ @example/platform\n*\n")
    yield owners("two owners", "proven", "* @example/platform @jane\n")
    yield owners(
        "by directories",
        "proven",
        "/terraform/ @example/platform\n/.github/ @example/platform\n/infraspec.toml @jane\n",
    )
    yield owners("a comment after it", "proven", "* @example/platform # everybody's\n")
    yield owners("documents without owner", "proven", "* @example/platform\n/docs/\n")
    yield owners("an address", "proven", "* platform@example.com\n")
    yield Edit(
        "owners that are not read",
        {"files": {".github/CODEOWNERS": "* @example/platform\n", "CODEOWNERS": "* @nobody\n"}},
        "proven",
        _INLINE,
    )


def _of_schedules() -> Iterator[Edit]:
    def cron(name: str, verdict: str, text: str) -> Edit:
        return Edit(name, {"schedule": text}, verdict, _INLINE)

    yield cron("yearly", "violated", "0 0 1 1 *")
    yield cron("monthly", "violated", "0 5 1 * *")
    yield cron("weekly", "violated", "0 5 * * 1")
    yield cron("working days", "violated", "0 5 * * 1-5")
    yield cron("no such minute", "violated", "61 5 * * *")
    yield cron("no such day", "violated", "0 5 31 2 *")
    yield cron("six fields", "violated", "0 0 5 * * *")
    yield cron("by a word", "violated", "@daily")
    yield cron("hourly", "proven", "5 * * * *")
    yield cron("twice a day", "proven", "0 5,17 * * *")
    yield cron("every six hours", "proven", "17 */6 * * *")
    yield cron("all days by names", "proven", "0 5 * * SUN-SAT")
    for name, verdict, parts in (
        ("scheduled job not on schedule", "violated", {"if": "github.event_name != 'schedule'"}),
        ("scheduled job on another branch", "violated", {"if": "github.ref == 'refs/heads/develop'"}),
        ("scheduled job on schedule", "proven", {"if": "github.event_name == 'schedule'"}),
        ("scheduled job that passes", "violated", {"continue-on-error": True}),
    ):
        yield Edit(name, {"nightly": parts}, verdict, _INLINE)


def _of_makefiles() -> Iterator[Edit]:
    def makefile(name: str, verdict: str, **parts: Any) -> Edit:
        return Edit(f"make: {name}", parts, verdict, _MAKE)

    yield makefile("ignores errors", "violated", run="make -i test-static")
    yield makefile("dry run", "violated", run="make --dry-run test-static")
    yield makefile("touches", "violated", run="make -kt test-static")
    yield makefile("another target", "violated", run="make lint")
    yield makefile("no such target", "violated", target=".PHONY: tests\ntests:")
    yield makefile("a dash", "violated", recipe="-SUITE")
    yield makefile("a quiet dash", "violated", recipe="@-SUITE")
    yield makefile(".IGNORE", "violated", head=".IGNORE:")
    yield makefile(".IGNORE of the target", "violated", head=".IGNORE: test-static")
    yield makefile("an empty recipe", "violated", recipe="")
    yield makefile("a recipe that says so", "violated", recipe="@echo passed")
    yield makefile(
        "a variable of the command line", "violated", run="make test-static ARGS=--collect-only", recipe="SUITE $(ARGS)"
    )
    yield makefile("a variable of the file", "violated", head="ARGS = -k names", recipe="SUITE $(ARGS)")
    yield makefile("flags in the environment", "violated", workflow={"env": {"MAKEFLAGS": "-i"}})
    yield makefile("flags without a dash", "violated", workflow={"env": {"MAKEFLAGS": "n"}})
    yield makefile("a shell that does nothing", "undetermined", head="SHELL := /bin/true")
    yield makefile(
        "a variable of the target",
        "violated",
        recipe="SUITE $(ARGS)",
        target=".PHONY: test-static\ntest-static: ARGS = --co\ntest-static:",
    )
    yield makefile("one line of a shell", "violated", recipe="SUITE; echo done")
    yield makefile("a file of that name", "violated", target="test-static:", files={"test-static": ""})
    yield makefile(
        "another recipe later",
        "violated",
        files={"Makefile": f"test-static:\n\t{SUITE}\n\ntest-static:\n\t@echo passed\n"},
    )
    yield makefile(
        "included from elsewhere", "undetermined", files={"Makefile": "include $(shell find . -name rules.mk)\n"}
    )
    yield makefile("keeps going", "proven", run="make -k test-static")
    yield makefile("quiet", "proven", recipe="@SUITE")
    yield makefile("silent", "proven", run="make --silent test-static")
    yield makefile("a variable that nobody uses", "proven", run="make test-static VERBOSE=1")
    yield makefile("an empty variable", "proven", head="ARGS =", recipe="SUITE $(ARGS)")
    yield makefile(
        "prerequisites",
        "proven",
        target=".PHONY: test-static\ntest-static: installed",
        head="installed:\n\tpip install x",
    )
    yield makefile("through another target", "proven", target=".PHONY: test-static\ntest-static: inner\ninner:")
    inner = f".PHONY: inner test-static\ninner:\n\t{SUITE}\ntest-static:"
    yield makefile("through make", "proven", recipe="$(MAKE) inner", target=inner)
    yield makefile("by its directory", "proven", run="make -C . test-static")
    yield makefile("lines", "proven", recipe="@echo begin\nSUITE\n@echo end")
    yield makefile(
        "a program in a variable",
        "proven",
        head="PYTHON := .venv/bin/python",
        recipe="$(PYTHON) -m pytest --pyargs infraspec.tests_static",
    )
    yield makefile("a file of a target that is none", "proven", files={"test-static": ""})


def edits() -> Iterator[Edit]:
    """Yield all edits."""
    yield Edit("nothing", {}, "proven")
    for family in (
        _of_the_shell,
        _of_jobs,
        _of_steps,
        _of_triggers,
        _of_rules,
        _of_owners,
        _of_schedules,
        _of_makefiles,
    ):
        yield from family()


EDITS = tuple(edits())
