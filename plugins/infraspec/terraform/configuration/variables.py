"""Values of root variables: environment, variable files and arguments, in Terraform's order of precedence.

Source: Terraform Language Documentation, "Variable Definition Precedence": later wins — TF_VAR_ environment
variables, terraform.tfvars, terraform.tfvars.json, *.auto.tfvars and *.auto.tfvars.json in lexical order, then -var
and -var-file in the order given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from msgspec import Struct

from infraspec.core.errors import ErrorCollector, HclSyntaxError, InfraspecError, InputErrorGroup, TerraformError
from infraspec.core.finding import Location
from infraspec.core.unknown import Value
from infraspec.hcl.ast import Block, Body, Expression, File, SourceText
from infraspec.hcl.files import parse_variables
from infraspec.hcl.parser import parse_expression
from infraspec.terraform.configuration.evaluation import unreadable_value
from infraspec.terraform.configuration.inline_waivers import faults_of_values
from infraspec.terraform.configuration.module import ModuleInstance, type_of
from infraspec.terraform.language.expressions import compile_expression
from infraspec.terraform.language.types import PrimitiveType


class Assignment(Struct, frozen=True):
    """`-var NAME=VALUE`, or a value given by a program. Text is parsed as Terraform parses it unless `parsed`."""

    name: str
    value: Value
    parsed: bool = False


class VariableFile(Struct, frozen=True):
    """`-var-file FILE`."""

    path: Path


Argument = Assignment | VariableFile


def collect_variables(
    root: ModuleInstance, arguments: Sequence[Argument], environ: Mapping[str, str]
) -> dict[str, Value]:
    """Return the value of every root variable that is set anywhere.

    A name that no variable has is a warning in a file, an error in an argument, and ignored in the environment.
    """
    configuration = root.configuration
    values: dict[str, Value] = {}
    for name, text in sorted(environ.items()):
        variable = name.removeprefix("TF_VAR_")
        if name.startswith("TF_VAR_") and variable in configuration.variables:
            values[variable] = _parse(root, variable, text, f"TF_VAR_{variable}")
    files = (VariableFile(path) for path in automatic_files(configuration.directory))
    for argument in (*files, *arguments):
        if isinstance(argument, VariableFile):
            values.update(_read_file(root, argument.path))
            continue
        with root.evaluation.noting():
            values[argument.name] = _assigned(root, argument)
    return values


def automatic_files(directory: Path) -> Iterable[Path]:
    """Return the variable files that Terraform loads by itself, in order."""
    named = [directory / name for name in ("terraform.tfvars", "terraform.tfvars.json")]
    auto = [path for path in directory.iterdir() if path.name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    return [path for path in (*named, *sorted(auto, key=lambda path: path.name)) if path.is_file()]


def _read_file(root: ModuleInstance, path: Path) -> dict[str, Value]:
    """Return the values of a variable file; of what cannot be read of it, an unknown for each variable."""
    errors: list[InfraspecError] = []
    try:
        library = root.evaluation.library
        text = library.edits.get(path.resolve()) if library.edits else None
        file = parse_variables(path, library.show(path), errors, text)
    except InfraspecError as error:
        errors, file = (
            [*error.errors] if isinstance(error, InputErrorGroup) else [error],
            File(SourceText("", ""), Body({}, ())),
        )
    root.evaluation.misplaced_waivers += faults_of_values(file.source)
    errors += [_no_value(block, file.source) for block in file.body.blocks]
    values: dict[str, Value] = {}
    for each in errors:
        if isinstance(each, HclSyntaxError):  # what the text says may be a secret
            each.excerpt = each.found = ""
    with root.evaluation.noting():
        ErrorCollector([*errors]).finalize()
    broken = {block.type for block in file.broken} or set(root.configuration.variables if errors else ())
    for name in broken.intersection(root.configuration.variables):
        values[name] = unreadable_value(f"var.{name}", errors[0])
    for name, attribute in file.body.attributes.items():
        if name not in root.configuration.variables:
            location = Location(file.source.name, file.source.line(attribute.at))
            root.evaluation.warn(f'there is no variable "{name}" in {root.configuration.shown}', location)
            continue
        try:
            values[name] = _constant(root, name, attribute.expression, file.source)
        except TerraformError as error:
            values[name] = root.evaluation.refused(f"var.{name}", error)
    return values


def _no_value(block: Block, source: SourceText) -> TerraformError:
    return TerraformError(
        f'a variable file holds values only, not a "{block.type}" block',
        place=source.place(block.at),
        expected="NAME = VALUE",
    )


def _constant(root: ModuleInstance, name: str, node: Expression, source: SourceText) -> Value:
    """Evaluate the value of a variable; an error does not quote it."""
    try:
        return compile_expression(node, source, isolated=True)(root.scope)
    except TerraformError as error:
        raise TerraformError(
            f'the value of variable "{name}" is no constant',
            place=error.place or source.place(node.at),
            expected="text in quotes, a number, true or false, null, or a list or object of these",
        ) from None


def _assigned(root: ModuleInstance, argument: Assignment) -> Value:
    variables = root.configuration.variables
    if argument.name not in variables:
        close = get_close_matches(argument.name, variables, 1)
        raise TerraformError(
            f'there is no variable "{argument.name}" in {root.configuration.shown}',
            place=f"variable {argument.name}",
            expected=", ".join(sorted(variables)) or "no variables: the root declares none",
            remedy=f"did you mean {close[0]}?" if close else "",
        )
    if argument.parsed or not isinstance(argument.value, str):
        return argument.value
    return _parse(root, argument.name, argument.value, f"variable {argument.name}")


def _parse(root: ModuleInstance, name: str, text: str, shown: str) -> Value:
    """Take text as it is for a primitive type or none, else as an expression of the language."""
    body = root.configuration.variables[name]
    if isinstance(type_of(body, root.scope), PrimitiveType) or "type" not in body.attributes:
        return text
    try:
        node = parse_expression(text, shown)
    except HclSyntaxError as error:
        error.excerpt = error.found = ""
        error.remedy = f'give {name} as an expression of its type, such as \'["a", "b"]\''
        raise
    return _constant(root, name, node, SourceText(shown, text))
