"""No input costs more than it warrants: what passes a limit is not known, says where, and leaves the rest alone.

Each input is evaluated in a process of its own, which the operating system ends if it takes too much.
"""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from infraspec.core.errors import LimitError
from tests.terraform.sources import plan_of

_SECONDS = 10
_BYTES = 1 << 30
_EVALUATE = """
import sys
from pathlib import Path
from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import BeyondLimit, sources, unknowns
from infraspec.terraform.source import evaluate

plan = evaluate(Path(sys.argv[1]))
for told in plan.diagnostics:
    print("told", told.location, told.message)
for resource in plan.resources:
    for name in resource.values:
        try:
            value = resource.values[name]
        except InfraspecError as error:
            print("error", error.place, error.message)
            continue
        causes = {origin.cause for unknown in unknowns(value) for origin in sources(unknown)}
        for cause in causes:
            if isinstance(cause, BeyondLimit):
                print("beyond", cause.what)
        print(resource.address, name, value if isinstance(value, str) and len(value) < 20 else "")
"""


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))


def judged(root: Path, files: dict[str, str]) -> str:
    """Return what is said of a root module with an unrelated queue, of which the name has to be known."""
    (root / ".git").mkdir()
    for name, text in {"fine.tf": 'resource "aws_sqs_queue" "fine" { name = "fine" }\n', **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return run(root)


def run(root: Path) -> str:
    """Evaluate a root module within limits of memory and CPU time; AssertionError if it passes them."""
    done = subprocess.run(
        [sys.executable, "-c", _EVALUATE, str(root)],
        capture_output=True,
        text=True,
        preexec_fn=_limit,
        check=False,
    )
    assert done.returncode == 0 or "Traceback" in done.stderr, f"ended with {done.returncode}"
    return done.stdout or done.stderr


def _chain(first: str, step: str, length: int = 40) -> str:
    steps = "".join(f"  a{index + 1} = {step.replace('it', f'local.a{index}')}\n" for index in range(length))
    return f"locals {{\n  a0 = {first}\n{steps}}}\n" + _queue(f"jsonencode(local.a{length})")


def _queue(name: str) -> str:
    return f'resource "aws_sqs_queue" "costly" {{\n  name = {name}\n}}\n'


_PAIRS = 'locals {\n  pairs = [for p in setproduct(range(300), range(300)): join("-", p)]\n}\n'
_ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{index + 1}: &a{index + 1} [{', '.join([f'*a{index}'] * 9)}]\n" for index in range(9)
)
COSTLY = {
    "text doubled": _chain('"abcdefgh"', '"${it}${it}"'),
    "text joined": _chain('"abcdefgh"', 'join("", [it, it])'),
    "text formatted": _chain('"abcdefgh"', 'format("%s%s", it, it)'),
    "text replaced": _chain('"abcdefgh"', 'replace(it, "a", it)'),
    "text replaced by a pattern": _chain('"abcdefgh"', 'replace(it, "/[a-h]/", it)'),
    "text escaped": _chain('"\\"<"', "jsonencode(it)"),
    "text indented": _queue('indent(1000000000, "a\\nb")'),
    "text with something unknown in it": 'variable "u" {}\n' + _chain('"${var.u}-"', '"${it}${it}"'),
    "text that is sensitive": _chain('sensitive("x")', '"${it}${it}"'),
    "lists in lists": _chain('["a"]', "[it, it]"),
    "objects in objects": _chain("{ a = 1 }", "{ x = it, y = it }"),
    "a list in a list in a list": _chain('["a"]', "[it]", 900),
    "lists put together": _chain('["a"]', "concat(it, it)"),
    "lists compared": _chain('["a"]', "[it, it]").replace(
        "jsonencode(local.a40)", 'local.a40 == local.a39 ? "a" : "b"'
    ),
    "for over a million": _queue("jsonencode([for i in range(1000): [for j in range(1000): i]])"),
    "for over products": _queue('jsonencode({for p in setproduct(range(999), range(999)): "${p[0]}.${p[1]}" => p})'),
    "for in a template": _queue(
        '"%{ for i in range(999) }%{ for j in range(999) }%{ for k in range(999) }x%{ endfor }%{ endfor }%{ endfor }"'
    ),
    "arithmetic": _queue("jsonencode([for i in range(1000): [for j in range(300): i * 1.5 / (j + 0.1)]])"),
    "every element compared with every other": _PAIRS + _queue("jsonencode(distinct([for p in local.pairs: [p]]))"),
    "every element looked for": _PAIRS + _queue("jsonencode([for p in local.pairs: index(local.pairs, p)])"),
    "a digest of much": _PAIRS + _queue('join("", [for p in local.pairs: sha512(join("", local.pairs))])'),
    "merged maps": _PAIRS + _queue("jsonencode([for p in local.pairs: merge({ for q in local.pairs: q => q })])"),
    "networks": _queue(
        'jsonencode(cidrsubnets("fd00::/8", flatten([for i in range(999): [for j in range(999): 32]])...))'
    ),
    "references": _chain('"x"', '"-${it}"', 3000),
    "instances": 'resource "aws_sqs_queue" "costly" {\n  count = 10000000\n  name = "costly"\n}\n',
    "blocks": (
        'resource "aws_security_group" "costly" {\n  dynamic "ingress" {\n'
        "    for_each = setproduct(range(300), range(300))\n    content {\n      from_port = 1\n    }\n  }\n}\n"
    ),
}


@pytest.mark.parametrize("source", COSTLY.values(), ids=COSTLY)
def test_what_would_cost_too_much_is_not_known(tmp_path: Path, source: str) -> None:
    """It is unknown, and the cause names its place; a resource beside it is judged as ever."""
    said = judged(tmp_path, {"main.tf": source})

    assert "aws_sqs_queue.fine name fine" in said
    assert f"{tmp_path}/main.tf:" in said


@pytest.mark.parametrize("text", [_ALIASES, "[" * 100_000 + "]" * 100_000, "x: " + "[1, " * 100_000])
def test_a_document_of_yaml_that_unfolds(tmp_path: Path, text: str) -> None:
    """Aliases of aliases, and what is nested too deeply, are not known or no YAML."""
    said = judged(tmp_path, {"main.tf": _queue('jsonencode(yamldecode(file("costly.yaml")))'), "costly.yaml": text})

    assert "aws_sqs_queue.fine name fine" in said
    assert f"{tmp_path}/main.tf:2" in said


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "[" + "1," * 2_000_000 + "1]"], ids=["deep", "wide"])
def test_a_document_of_json_that_is_deep_or_wide(tmp_path: Path, text: str) -> None:
    """What is nested too deeply, or has too many elements, is not known."""
    said = judged(tmp_path, {"main.tf": _queue('jsonencode(jsondecode(file("costly.json")))'), "costly.json": text})

    assert "aws_sqs_queue.fine name fine" in said
    assert f"beyond {tmp_path}/main.tf:2" in said


def test_a_pattern_that_backtracks(tmp_path: Path) -> None:
    """The name check of many modules is decided at once."""
    text = f'can(regex("^([a-z0-9]+-?)+$", "{"a" * 60}!")) ? "yes" : "no"'

    assert "aws_sqs_queue.costly name no" in judged(tmp_path, {"main.tf": _queue(text)})


def test_many_modules_one_in_the_other(tmp_path: Path) -> None:
    """Four hundred modules, each of which calls the next, are evaluated."""
    modules = {
        f"m{index}/main.tf": f'module "n" {{\n  source = "../m{index + 1}"\n}}\n{_queue("path.module")}'
        for index in range(400)
    }
    said = judged(
        tmp_path, {"main.tf": 'module "n" {\n  source = "./m0"\n}\n', **modules, "m400/main.tf": _queue('"x"')}
    )

    assert 401 == said.count("aws_sqs_queue.costly name")


def test_modules_that_double(tmp_path: Path) -> None:
    """A module that calls the next twice, and so on, has more instances than are made; the source says so."""
    twice = 'module "a" {{\n  source = "../m{0}"\n}}\nmodule "b" {{\n  source = "../m{0}"\n}}\n'
    modules = {f"m{index}/main.tf": twice.format(index + 1) for index in range(25)}
    said = judged(
        tmp_path, {"main.tf": 'module "n" {\n  source = "./m0"\n}\n', **modules, "m25/main.tf": _queue('"x"')}
    )

    assert "there are more than 10,000 module instances" in said
    assert "aws_sqs_queue.fine name fine" in said


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path.relative_to(Path.cwd())))


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(3 << 30)


@pytest.mark.parametrize("make", [_pipe, _socket, _zeros, _huge])
def test_what_is_no_regular_file_of_a_sensible_size_is_not_read(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe, a socket, a device and a file of gigabytes are named, as source and as what an expression reads."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "other.bin")
    reads = ("file", "filebase64", "filemd5")
    sources = [f'resource "aws_sqs_queue" "{name}" {{\n  name = {name}("other.bin")\n}}\n' for name in reads]
    said = judged(tmp_path, {"main.tf": "".join(sources)})

    assert "aws_sqs_queue.fine name fine" in said
    assert all(f"{tmp_path}/main.tf:{line}" in said for line in (2, 5, 8))

    (tmp_path / "other.bin").rename(tmp_path / "x.tf")
    assert f"{tmp_path}/x.tf: the file" in run(tmp_path)


PRIVATE = "hunter2"
OUTSIDE = {
    "source": lambda root: (root / "x.tf").symlink_to("../outside/main.tf"),
    "JSON": lambda root: (root / "x.tf.json").symlink_to("../outside/main.tf"),
    "variables": lambda root: (root / "terraform.tfvars").symlink_to("../outside/main.tf"),
    "module": lambda root: (root / "x.tf").write_text('module "m" {\n  source = "../outside"\n}\n'),
    "module behind a link": lambda root: (
        (root / "m").symlink_to("../outside"),
        (root / "x.tf").write_text('module "m" {\n  source = "./m"\n}\n'),
    ),
    "text": lambda root: (root / "x.tf").write_text(_queue('file("../outside/main.tf")')),
    "text behind a link": lambda root: (
        (root / "m").symlink_to("../outside"),
        (root / "x.tf").write_text(_queue('file("m/main.tf")')),
    ),
    "template behind a link": lambda root: (
        (root / "m").symlink_to("../outside/main.tf"),
        (root / "x.tf").write_text(_queue('templatefile("m", {})')),
    ),
    "digest": lambda root: (root / "x.tf").write_text(_queue('filesha1("../outside/main.tf")')),
    "names": lambda root: (root / "x.tf").write_text(_queue('jsonencode(fileset("../outside", "*"))')),
}


@pytest.mark.parametrize("make", OUTSIDE.values(), ids=OUTSIDE)
def test_nothing_outside_of_the_repository_is_read(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """What leads out of the git work tree is named where it stands, and no line of it is printed."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "main.tf").write_text(f'x = "{PRIVATE}\n', encoding="utf-8")
    root = tmp_path / "repository"
    root.mkdir()
    make(root)
    said = judged(root, {})

    assert "out of the" in said or "outside the" in said
    assert str(root) in said
    assert PRIVATE not in said


def test_a_module_beside_the_root_is_read(tmp_path: Path) -> None:
    """Within the git work tree a module and what it reads may lie anywhere."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "main.tf").write_text(_queue('file("../name.txt")'), encoding="utf-8")
    (tmp_path / "name.txt").write_text("shared", encoding="utf-8")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "main.tf").write_text('module "m" {\n  source = "../modules"\n}\n', encoding="utf-8")

    assert "module.m.aws_sqs_queue.costly name shared" in run(tmp_path / "root")


def test_a_root_of_too_many_instances_has_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of a root is told of once, where it is passed, whatever comes after it."""
    monkeypatch.setattr("infraspec.terraform.configuration.evaluation.MOST_INSTANCES", 3)
    source = "".join(f'resource "aws_sqs_queue" "q{number}" {{}}\n' for number in range(9))
    with pytest.raises(LimitError) as caught:
        plan_of(tmp_path, source)

    assert "aws_sqs_queue.q3 would make 1 instances, 4 in all" == caught.value.message
