"""Random resources from the schema of the provider, and edits of them that Terraform refuses, or does not mind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any

from msgspec import Struct, field

from infraspec.terraform.provider.schema import Demands, demands

_VALUES = {"s": '"a"', "n": "1", "b": "true", "*": '"a"'}
_WRONG = {"s": '["a"]', "n": '"ten"', "b": '"maybe"', "L": '"a"', "S": '"a"', "M": '"a"'}
_DEEPEST = 6


class Part(Struct):
    """An argument (`value` is its expression) or a nested block; `code` is that of the schema."""

    name: str
    code: str
    value: str = ""
    parts: list[Part] = field(default_factory=list)
    dynamic: bool = False

    @property
    def is_block(self) -> bool:
        """Whether it is written as a block."""
        return not self.value

    def lines(self, indent: str = "  ") -> Iterator[str]:
        """Yield its text."""
        if not self.is_block:
            yield f"{indent}{self.name} = {self.value}"
            return
        inner = [line for part in self.parts for line in part.lines(f"{indent}  ")]
        if self.dynamic:
            yield from (f'{indent}dynamic "{self.name}" {{', f"{indent}for_each = [1]", f"{indent}content {{")
            yield from (*inner, f"{indent}}}", f"{indent}}}")
        else:
            yield from (f"{indent}{self.name} {{", *inner, f"{indent}}}")


def wanted(name: str) -> Demands:
    """Return what a type or structure demands, which is known."""
    found = demands(name)
    assert found is not None
    return found


def structure(code: str) -> str:
    """Return the name of the structure that is in nested blocks, empty if there is none."""
    inner = code.lstrip("[{1(LS")
    return inner if inner.startswith("@") else ""


def parts_of(name: str, random: Random, depth: int = 0) -> list[Part]:
    """Return what is required, and some of what is optional."""
    known = wanted(name)
    chosen = set(known.required)
    optional = sorted(known.codes.keys() - known.required - known.unsettable - {"timeouts", "id"})
    if depth < _DEEPEST:
        chosen |= set(random.sample(optional, min(len(optional), random.randint(0, 3))))
    return [part for each in sorted(chosen) if (part := _part(each, known.codes[each], random, depth)) is not None]


def _part(name: str, code: str, random: Random, depth: int) -> Part | None:
    if structure(code):
        return Part(name, code, parts=parts_of(structure(code), random, depth + 1)) if depth < _DEEPEST else None
    value = value_of(code)
    return Part(name, code, value) if value else None


def value_of(code: str) -> str:
    """Return a value of a type, empty if it is one of objects."""
    if code[0] in _VALUES:
        return _VALUES[code[0]]
    if code.startswith("M@"):
        return "{}"
    inner = value_of(code[1:]) if code[0] in "LSM" else ""
    return inner and (f"{{ a = {inner} }}" if code[0] == "M" else f"[{inner}]")


def text_of(type_: str, parts: list[Part]) -> str:
    """Return a resource `x` of a type."""
    return "\n".join([f'resource "{type_}" "x" {{', *(line for part in parts for line in part.lines()), "}", ""])


def as_json(type_: str, parts: list[Part]) -> str:
    """Return the same in JSON syntax."""
    return json.dumps({"resource": {type_: {"x": _json(parts)}}}, indent=2)


def _json(parts: list[Part]) -> dict[str, Any]:
    return {
        part.name: [_json(part.parts)] if part.is_block else json.loads(part.value.replace("{ a = ", '{"a": '))
        for part in parts
    }


def bodies(name: str, parts: list[Part]) -> Iterator[tuple[str, list[Part]]]:
    """Yield each body in a resource, with the name of its structure."""
    yield name, parts
    for part in parts:
        if part.is_block:
            yield from bodies(structure(part.code), part.parts)


def mutants(type_: str, parts: list[Part], random: Random) -> Iterator[tuple[str, str]]:
    """Yield texts that Terraform refuses, each with what was done; the parts are as before afterwards."""
    name, body = random.choice([*bodies(type_, parts)])
    known = wanted(name)
    arguments = [part for part in body if not part.is_block]
    blocks = [part for part in body if part.is_block]
    for what, candidates, edit in (
        ("missing", [part for part in body if part.name in known.required], None),
        ("argument misspelled", arguments, lambda part: _changed(part, name=f"{part.name}zq")),
        ("block misspelled", blocks, lambda part: _changed(part, name=f"{part.name}zq")),
        ("wrong type", [part for part in arguments if part.code[0] in _WRONG], _wrong),
        ("argument as block", [part for part in arguments if part.code[0] != "*"], _as_block),
        ("block as argument", [part for part in blocks if part.code[0] in "[{1"], _as_argument),
    ):
        for part in random.sample(candidates, min(1, len(candidates))):
            at = body.index(part)
            body[at : at + 1] = [edit(part)] if edit else []
            yield what, text_of(type_, parts)
            body[at : at + (1 if edit else 0)] = [part]
    for what, extra in _additions(known, blocks, random):
        body.append(extra)
        yield what, text_of(type_, parts)
        body.pop()
    yield "type misspelled", text_of(f"{type_}zq", parts)
    whole = text_of(type_, parts)
    attribute = random.choice(sorted(wanted(type_).codes))
    yield "attribute misspelled", f'{whole}output "o" {{ value = {type_}.x.{attribute}zq }}\n'
    listed = whole.replace("{\n", "{\n  count = 2\n", 1)
    yield "attribute of a splat", f'{listed}output "o" {{ value = {type_}.x[*].{attribute}zq }}\n'
    yield "no instance key", f'{listed}output "o" {{ value = {type_}.x.{attribute} }}\n'
    yield "through a local", f'{whole}locals {{ r = {type_}.x }}\noutput "o" {{ value = local.r.{attribute}zq }}\n'


def _additions(known: Demands, blocks: list[Part], random: Random) -> Iterator[tuple[str, Part]]:
    for part in [part for part in blocks if part.code[0] in "1("][:1]:
        yield "too many blocks", part
    for name in random.sample(sorted(known.unsettable), min(1, len(known.unsettable))):
        yield "computed", Part(name, known.codes[name], '"a"')


def _changed(part: Part, **changes: Any) -> Part:
    fields = {name: getattr(part, name) for name in ("name", "code", "value", "parts")}
    return Part(**{**fields, **changes})


def _wrong(part: Part) -> Part:
    return _changed(part, value=_WRONG[part.code[0]])


def _as_block(part: Part) -> Part:
    return _changed(part, value="")


def _as_argument(part: Part) -> Part:
    return _changed(part, value="[]")


def harmless(type_: str, parts: list[Part], random: Random) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield files that mean the same, or that Terraform takes as well, each with what was done."""
    whole = text_of(type_, parts)
    yield "as it is", {"main.tf": whole}
    shuffled = [*parts]
    random.shuffle(shuffled)
    yield "another order", {"main.tf": text_of(type_, shuffled)}
    yield "comments", {"main.tf": whole.replace("{\n", "{ # here\n  // and here\n")}
    yield "JSON", {"main.tf.json": as_json(type_, parts)}
    meta = '  for_each = toset(["a"])\n  depends_on = []\n  lifecycle {\n    prevent_destroy = true\n  }\n'
    yield "meta-arguments", {"main.tf": whole.replace("{\n", "{\n" + meta, 1)}
    if "timeouts" in wanted(type_).codes:
        yield "timeouts", {"main.tf": whole.replace("{\n", "{\n  timeouts {}\n", 1)}
    dynamic = [_changed(part) for part in parts]
    for part in dynamic:
        part.dynamic = part.is_block
    yield "dynamic blocks", {"main.tf": text_of(type_, dynamic)}
    yield "override files", {"main.tf": f'resource "{type_}" "x" {{}}\n', "a_override.tf": whole}
    attribute = random.choice(sorted(wanted(type_).codes))
    reference = f'output "o" {{ value = [{type_}.x.{attribute}, {type_}.x[*].{attribute}] }}\n'
    yield "references", {"main.tf": whole + reference}
    moved = f"moved {{\n  from = {type_}.y\n  to   = {type_}.x\n}}\n"
    yield "moved", {"main.tf": whole + moved}
