"""infraspec.toml with comments: what was inferred, from how many, and what else there is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType

from msgspec import Struct

from infraspec.adoption.contract_inference import Adoption, environment_table
from infraspec.adoption.environments import EnvironmentCandidate
from infraspec.contract.document import KeyPath, notation
from infraspec.contract.loading import FILE_NAME
from infraspec.core.errors import WriteError
from infraspec.core.runtime import SCHEMA, requirement, write_whole

_MOST_LISTED = 30


def contract_text(adoption: Adoption) -> str:
    """Write the contract of an adoption."""
    held, total = adoption.support
    why = f"{held} of {total} names start with it" if held else "the name of the directory"
    project = f"[project]\napplication = {quoted(adoption.application)}  # {why}\n"
    if adoption.applications:
        told = (
            f"#   {_comment(app)}: infraspec init {_comment(path)}\n" for path, app in adoption.applications.items()
        )
        project += f"# Names begin with several applications; a separate contract for one of them:\n{''.join(told)}"
    found = "\n".join([project, *_environments(adoption), *_left_out(adoption)])
    rules = "\n".join([*_names(adoption), *_tags(adoption), _suite(adoption)])
    return Template(_shipped("contract.toml")).substitute(schema=SCHEMA, found=found, rules=rules)


def _pinned(name: str) -> str:
    """Return a file that installs infraspec: this version."""
    return _shipped(name).replace("{requirement}", requirement())


def _shipped(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def quoted(value: object) -> str:
    """Write a value as TOML: text, a number, a list or an inline table."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        pairs = ", ".join(f"{notation((key,))} = {quoted(item)}" for key, item in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(quoted, value)) + "]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise TypeError(type(value).__name__)


def with_line(text: str, table: KeyPath, line: str) -> str:
    """Return the text of a contract with a line in a table, right below its header; a new table comes at the end."""
    header = f"[{notation(table)}]"
    rows = text.rstrip("\n").split("\n")
    at = next((number for number, row in enumerate(rows) if row.partition("#")[0].strip() == header), None)
    if at is None:
        rows += ["", header]
        at = len(rows) - 1
    rows.insert(at + 1, line)
    return "\n".join(rows) + "\n"


def _environments(adoption: Adoption) -> Iterator[str]:
    for each in adoption.environments:
        wrong = adoption.fault_of(each.name)
        extent = "in part" if each.name in adoption.plans else "not"
        fault = f"# It is evaluated {extent}, because of an error: {_comment(wrong)}\n" if wrong else ""
        yield (f"# By the {_comment(each.origin)}.\n{fault}" + _table(each, adoption.task_definitions) + "\n")
    if not adoption.environments:
        files = quoted(list(adoption.task_definitions["main"]))
        yield f"[environments.main]\ntask_definitions = {files}\n"
    if adoption.repository.malformed:
        yield "# These look like task definitions and cannot be read as one (templates?):\n" + "".join(
            f"#   {_comment(path)}\n" for path in adoption.repository.malformed[:_MOST_LISTED]
        )


def _table(each: EnvironmentCandidate, files: Mapping[str, Sequence[str]] = MappingProxyType({})) -> str:
    notes = {"variables": f"by the name of the {each.origin}"}
    notes |= {"account_id": each.account.source} if each.account else {}
    notes |= {"region": each.region.source} if each.region else {}
    lines = [f"[environments.{notation((each.name,))}]"]
    for key, value in environment_table(each, files).items():
        lines.append(f"{key} = {quoted(value)}" + (f"  # {_comment(notes[key])}" if key in notes else ""))
    if each.account is None:
        lines.insert(2, '# account_id = "111122223333"  # the AWS account, which makes ARNs known before apply')
    elif not each.account.certain:
        told = f"{quoted(each.account.value)}  # {_comment(each.account.source)}: is it this one?"
        lines.insert(2, f"# account_id = {told}")
    return "\n".join(lines)


def _left_out(adoption: Adoption) -> Iterator[str]:
    for reason in dict.fromkeys(each.reason for each in adoption.left_out):
        group = [each for each in adoption.left_out if each.reason == reason]
        lines = [f"# Left out: {_comment(reason)}"]
        for each in group[:_MOST_LISTED]:
            lines += [f"# {line}" for line in _table(each.candidate).splitlines() if not line.startswith("#")]
        if len(group) > _MOST_LISTED:
            lines.append(f"# and {len(group) - _MOST_LISTED} more")
        yield "\n".join(lines) + "\n"
    for path, reason in adoption.unreadable()[:_MOST_LISTED]:
        yield f"# Left out: {_comment(path)}, which cannot be parsed: {_comment(reason)}\n"
    if adoption.repository.roots.aside:
        paths = "".join(f"#   {_comment(path)}\n" for path in adoption.repository.roots.aside[:_MOST_LISTED])
        yield f"# Left out: root modules of examples and tests\n{paths}"


def _names(adoption: Adoption) -> Iterator[str]:
    if not adoption.names:
        yield (
            "# No resource type has a naming pattern that most of its names follow.\n"
            "# [names.patterns]\n"
            '# aws_ecs_cluster = "{application}-{environment}-cluster"\n'
        )
        return
    lines = [
        "# {name} stands for lower-case words joined by hyphens; the numbers say how many names follow the pattern.",
        "[names.patterns]",
    ]
    lines += [f"{notation((one.type,))} = {quoted(one.written)}  # {one.held} of {one.total}" for one in adoption.names]
    if placeholders := adoption.placeholders():
        lines += ["", "[names.placeholders]"]
        lines += [f"{notation((name,))} = {quoted(regex)}" for name, regex in placeholders.items()]
    yield "\n".join(lines) + "\n"


def _tags(adoption: Adoption) -> Iterator[str]:
    if not adoption.tags:
        yield '# No tag is on most of the resources.\n# [tags.common]\n# Environment = "{environment}"\n# Owner = {}\n'
        return
    mark = "" if any(guess.is_common for guess in adoption.tags) else "# "
    lines = ["# Tags that most resources have; {} requires the key with any value.", f"{mark}[tags.common]"]
    for guess in adoption.tags:
        mark = "" if guess.is_common else "# "
        lines.append(
            f"{mark}{notation((guess.key,))} = {quoted(guess.rule)}  # {guess.held} of {guess.total} resources"
        )
    yield "\n".join(lines) + "\n"


def _suite(adoption: Adoption) -> str:
    lines = [
        "[suite]",
        'undetermined = "warn"  # what cannot be decided is shown and does not fail yet; "fail" once [known] is filled',
    ]
    if adoption.allow_empty:
        lines.append("# These match nothing in some environment, which is an error otherwise:")
        lines += ["allow_empty = [", *(f"  {quoted(entry)}," for entry in adoption.allow_empty), "]"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    return " ".join(text.split())


WORKFLOW_FILE = ".github/workflows/infraspec.yml"
GITLAB_FILE = "infraspec.gitlab-ci.yml"
MAKEFILE = "infraspec.mk"


class StartingFile(Struct, frozen=True):
    """A file to begin with. `path` is relative to the repository; `exists` if something of the name is there."""

    path: str
    text: str
    exists: bool
    note: str = ""


def starting_files(adoption: Adoption) -> tuple[StartingFile, ...]:
    """Return the contract, the pipeline of the host that the repository uses, and the fragment of a Makefile."""
    directory = adoption.repository.directory
    texts = {FILE_NAME: contract_text(adoption)}
    wanted = {FILE_NAME: ""}
    if adoption.repository.gitlab:
        wanted[GITLAB_FILE] = f"in .gitlab-ci.yml:  include: [{{ local: {GITLAB_FILE} }}]"
    if adoption.repository.workflows or not adoption.repository.gitlab:
        wanted[WORKFLOW_FILE] = ""
    wanted[MAKEFILE] = f"in the Makefile:  include {MAKEFILE}"
    found = []
    for path, note in wanted.items():
        is_there = (directory / path).exists() or (directory / path).is_symlink()
        found.append(StartingFile(path, texts.get(path) or _pinned(Path(path).name), is_there, note))
    return tuple(found)


def write(directory: Path, files: Sequence[StartingFile]) -> None:
    """Write the files that are not there. WriteError if one cannot be written; nothing is ever overwritten."""
    for file in files:
        if file.exists:
            continue
        path = directory / file.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, file.text.encode())
        except OSError as error:
            raise WriteError(
                "the file cannot be written",
                place=str(path),
                expected="a directory that the user may write in",
                found=error.strerror or type(error).__name__,
                remedy="check its owner and its mode, or print what would be written: infraspec init --dry-run",
            ) from None
