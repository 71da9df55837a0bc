"""The Terraform source of a tree, with its contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.generator.stacks import ACCOUNT, POLICIES, REGION, STAGE, VIOLATIONS, Stack

TEMPLATES = Path(__file__).resolve().parents[1] / "template"
_TFVARS = f"{STAGE}.tfvars"


def read_template(name: str) -> str:
    """Return the text of a template file."""
    return (TEMPLATES / name).read_text("utf-8")


def source_tree(stacks: Sequence[Stack], layout: str) -> dict[str, str]:
    """Return every file by its path; `layout` is `single` or `roots` (every stack a root module of its own)."""
    files = dict(_folder("modules/observability", "modules/observability"))
    root = dict(_folder("root", "."))
    call = root.pop("call.tf")
    for stack in stacks:
        directory = f"stacks/{stack.app}"
        for name, text in stack_files(stack).items():
            files[f"{directory}/{name}"] = text
        if layout == "roots":
            files |= {f"{directory}/{name}": text for name, text in _beside_own_variables(root).items()}
    if layout == "single":
        files |= root
        files["main.tf"] = "\n".join(stack.fill(call) for stack in stacks)
    files["infraspec.toml"] = contract(stacks, layout)
    return files


def stack_files(stack: Stack) -> dict[str, str]:
    """Return the module of one stack, its violations planted."""
    files = dict(_folder("stack", "."))
    if edited := POLICIES[stack.policies]:
        files[edited[0]] = edited[1].apply(files[edited[0]])
    for kind in stack.violations:
        violation = VIOLATIONS[kind]
        files[violation.cause.file] = violation.source.apply(files[violation.cause.file])
    # The variables that a root declares are the ones a stack takes from it.
    files["shared.tf"] = read_template("root/variables.tf")
    return {name: stack.fill(text) for name, text in files.items()}


def contract(stacks: Sequence[Stack], layout: str, plan: str = "") -> str:
    """Return infraspec.toml: one environment, or under `roots` one for each stack."""
    where = f'account_id = "{ACCOUNT}"\nregion = "{REGION}"\n'
    parts = [read_template("infraspec.toml")]
    if plan:
        parts.append(f'[environments.{STAGE}]\nplan = "{plan}"\n{where}')
    elif layout == "single":
        parts.append(f'[environments.{STAGE}]\nroot = "."\nvar_files = ["{_TFVARS}"]\n{where}')
    else:
        for stack in stacks:
            root = f"stacks/{stack.app}"
            parts.append(f'[environments.{stack.app}]\nroot = "{root}"\nvar_files = ["{root}/{_TFVARS}"]\n{where}')
    return "\n".join(parts)


def expected_violations(stacks: Sequence[Stack], layout: str) -> Iterator[dict[str, object]]:
    """Yield what was planted: kind, rule, address, where a finding points, and the line that was made wrong."""
    for stack in stacks:
        files = stack_files(stack) if stack.violations else {}
        prefix = f"module.{stack.label}." if layout == "single" else ""
        for kind in stack.violations:
            violation = VIOLATIONS[kind]
            place, cause = violation.place, violation.cause
            yield {
                "kind": kind,
                "rule": violation.rule,
                "stack": stack.app,
                "address": prefix + violation.resource,
                "file": f"stacks/{stack.app}/{place.file}",
                "line": place.line(files[place.file]),
                "cause_file": f"stacks/{stack.app}/{cause.file}",
                "cause_line": cause.line(files[cause.file]),
            }


def _folder(name: str, target: str) -> Iterator[tuple[str, str]]:
    for path in sorted((TEMPLATES / name).iterdir()):
        yield (path.name if target == "." else f"{target}/{path.name}"), path.read_text("utf-8")


def _beside_own_variables(root: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in root.items() if name != "variables.tf"}
