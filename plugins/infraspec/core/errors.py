"""What can go wrong with the tool or its input; never a verdict about the infrastructure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TypeVar

from msgspec import Struct, field

from infraspec.core.visible_text import visible

ALMOST = 0.8
"""How much alike words are of which one is most likely a slip of the other; it is 1 for the same."""


def closest(word: str, words: Collection[str], alike: float = 0.6) -> str | None:
    """Return the known word most like the given one, or None if none is so much like it."""
    folded = {known.casefold(): known for known in words}
    matches = get_close_matches(word.casefold(), list(folded), n=1, cutoff=alike)
    return folded[matches[0]] if matches else None


def did_you_mean(word: str, words: Collection[str], alike: float = 0.6) -> str:
    """Return "did you mean `…`?", or nothing if no known word is so much like the given one."""
    match = closest(word, words, alike)
    return f"did you mean `{match}`?" if match else ""


def listing(words: Collection[str], limit: int = 12) -> str:
    """Join words for a message, at most `limit` of them."""
    shown = list(words)[:limit]
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def counted(number: int, noun: str, form: str = "") -> str:
    """Return a number, in a form such as "," for thousands, with a noun that takes an s in the plural."""
    return f"{number:{form}} {noun}{'' if number == 1 else 's'}"


_LABELS = ("expected", "found", "in", "remedy")


class InfraspecError(Exception):
    """Say where the input is wrong, what was expected, what was found, and how to fix it.

    `message` is one sentence. `place` is a file, `file:line`, `file:line:column`, a key of the contract or a
    Terraform address. `expected`, `found` and `remedy` are short phrases; an empty one is left out.
    `excerpt` is the source line with a caret under the column.
    """

    environments: tuple[str, ...] = ()
    """The environments of the contract in which it is wrong, where a run is about several."""

    def __init__(
        self,
        message: str,
        *,
        place: str = "",
        expected: str = "",
        found: str = "",
        remedy: str = "",
        excerpt: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.expected = expected
        self.found = found
        self.remedy = remedy
        self.excerpt = excerpt

    def __str__(self) -> str:
        lines = [f"{self.place}: {self.message}" if self.place else self.message]
        lines += [f"    {line}" for line in self.excerpt.splitlines()]
        where = ", ".join(self.environments)
        for label, text in zip(_LABELS, (self.expected, self.found, where, self.remedy), strict=True):
            if text:
                first, *rest = text.splitlines()
                lines.append(f"  {label + ':':10}{first}")
                lines += [f"            {line}" for line in rest]
        return visible("\n".join(lines))

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.__dict__)


def _rebuild(kind: type[InfraspecError], state: dict[str, object]) -> InfraspecError:
    error = kind.__new__(kind)
    error.__dict__.update(state)
    error.args = (state.get("message", ""),)
    return error


class ContractError(InfraspecError):
    """The contract infraspec.toml is missing, not TOML, or not what its schema says."""


class WaiverError(ContractError):
    """A waiver is malformed: no reason, no owner, or a date that is not one."""


class BaselineError(ContractError):
    """A baseline of known findings is malformed."""


LOCAL = "local"
"""The environment of a live run that is the sandbox, with the source deployed in it; no contract has it."""


class UnknownEnvironmentError(ContractError):
    """An environment was asked for that the contract does not have."""


class SelectionError(InfraspecError):
    """The part of the environments that a run is to check cannot be decided."""


class PairingError(ContractError):
    """An environment is given what belongs to another one: a workspace, a file of variables, an account."""


class EventError(InfraspecError):
    """The event that a workflow run was started by cannot be read."""


class ProcessFileError(InfraspecError):
    """A playbook, an incident record, a workflow or another file of the team's process is not what it has to be."""


class HclSyntaxError(InfraspecError):
    """Text is not HCL. The place has line and column, the excerpt a caret."""


class TerraformError(InfraspecError):
    """Terraform source cannot be evaluated."""


class EvaluationError(TerraformError):
    """An expression has no value: what Terraform's `try` and `can` catch."""


class UndeclaredError(EvaluationError):
    """A name, a function or a provider configuration is declared nowhere, so what uses it is not known."""


class CycleError(TerraformError):
    """Values or modules depend on themselves."""


class LimitError(TerraformError):
    """Steps, size, depth, or the number of instances passed a bound, or a number is beyond what is computed with."""


class DivisionByZeroError(LimitError):
    """A quotient is infinite: a value of Terraform all the same, for `can`, that nothing can be done with."""


class FileAccessError(TerraformError):
    """An expression reads a file that lies outside the root: nothing catches that."""


class FileReadError(EvaluationError):
    """An expression reads a file that is absent or cannot be read."""


class RootMissingError(TerraformError):
    """A Terraform root does not exist or holds no configuration."""


class PlanError(InfraspecError):
    """A plan or state file cannot be read, or is of a format this release does not know."""


class SnapshotError(InfraspecError):
    """A snapshot of an account's IAM is not what `aws iam get-account-authorization-details` prints."""


class TaskDefinitionError(InfraspecError):
    """A task definition is not what the ECS API defines."""


class PolicyError(InfraspecError):
    """A policy document is not what the IAM policy grammar allows.

    `lacking` is what it is only short of: the path of a statement and the element, such as `Statement.1`, `Action`; the
    path is empty where the document has no `Statement`.
    """

    lacking: tuple[str, str] | None = None


class CaseError(InfraspecError):
    """A case of `infraspec simulate` is not what its schema says."""


class RequestError(InfraspecError):
    """What was asked about does not exist: a role, an action, a resource."""


class TagPolicyError(InfraspecError):
    """A tag policy is not what AWS Organizations defines."""


class ReportError(InfraspecError):
    """A results file cannot be read or written."""


class WriteError(InfraspecError):
    """A file cannot be written."""


class DeliveryError(InfraspecError):
    """A notification was not delivered; it never says to which URL."""


class NarrowSessionError(InfraspecError):
    """A client that publishes was asked for something else."""


class EmptySelectionError(InfraspecError):
    """A check matched nothing, and the contract does not allow that."""


class AwsError(InfraspecError):
    """AWS did not answer what it was asked: no connection, throttled for too long, an answer that is none."""


class RunnerPermissionError(InfraspecError):
    """The role that the live suite runs with may not ask what a check needs to know. No verdict about the subject."""


class ResourceRefusalError(RunnerPermissionError):
    """The policy of a resource keeps the runner out, whatever its own says; of other resources nothing follows."""


class CredentialsError(InfraspecError):
    """There are no AWS credentials, or they are expired or wrong."""


class IdentityError(InfraspecError):
    """The credentials are not those of the account, partition or role that the contract names."""


class GuardError(InfraspecError):
    """Something asked AWS for more than a look: an operation that is not on the list of reads."""


class MissingExtraError(InfraspecError):
    """A part of infraspec was asked for that needs an extra, which is not installed."""


class SandboxError(InfraspecError):
    """The sandbox cannot be started or asked."""


class HookError(InfraspecError):
    """A hook of a repository's own plugin returned what cannot be used."""


class HostError(InfraspecError):
    """A machine of the contract cannot be asked."""


class NetworkBlockedError(InfraspecError):
    """Something tried to reach the network during the static suite."""


_Error = TypeVar("_Error", bound=InfraspecError)


def unreadable(kind: type[_Error], place: str, error: OSError, what: str = "the file") -> _Error:
    """Return the error of an input that the operating system does not let be read."""
    return kind(
        f"{what} cannot be read",
        place=place,
        expected="a file that the user running the tests may read",
        found=error.strerror or type(error).__name__,
        remedy="check the path, its owner and its mode",
    )


@contextmanager
def writing(what: str, place: str, expected: str, remedy: str = "choose another place") -> Iterator[None]:
    """Raise ReportError where the operating system does not let something be written inside the block."""
    try:
        yield
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise ReportError(what, place=place, expected=expected, found=found, remedy=remedy) from None


class InputErrorGroup(InfraspecError):  # noqa: N818 - as ExceptionGroup, it is named for what it is
    """Several errors of the input, reported together."""

    def __init__(self, errors: Iterable[InfraspecError]) -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        super().__init__("1 error in the input" if count == 1 else f"{count} errors in the input")

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class ErrorCollector(Struct):
    """Collect the errors of many parts, to fail once with all of them."""

    errors: list[InfraspecError] = field(default_factory=list)
    environments: dict[tuple[object, ...], list[str]] = field(default_factory=dict)
    """The environments that errors were collected in, by what the errors say."""

    @contextmanager
    def collect(self, environment: str = "") -> Iterator[None]:
        """Keep an InfraspecError raised inside the block and go on after it; name the environment if it is one's."""
        try:
            yield
        except InfraspecError as error:
            self.keep(error, environment)

    def keep(self, error: InfraspecError, environment: str = "") -> None:
        """Keep an error, or those of a group."""
        errors = error.errors if isinstance(error, InputErrorGroup) else (error,)
        self.errors.extend(errors)
        for one in errors if environment else ():
            self.environments.setdefault(_said(one), []).append(environment)

    def finalize(self) -> None:
        """Raise what was collected: nothing, the one error, or InputErrorGroup.

        What environments have in common, such as a file that all of them read, is said once, and names them.
        """
        first: dict[tuple[object, ...], InfraspecError] = {}
        for error in self.errors:
            first.setdefault(_said(error), error)
        for said, error in first.items():
            error.environments = tuple(dict.fromkeys(self.environments.get(said, error.environments)))
        self.errors = list(first.values())
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise InputErrorGroup(self.errors)

    def distinct(self) -> list[InfraspecError]:
        """Return the errors, what one place does wrong once, however many instances it goes wrong in."""
        first = {_identity(error): error for error in reversed(self.errors)}
        return [error for error in self.errors if first[_identity(error)] is error]

    def finalize_distinct(self) -> None:
        """Raise as `finalize` does, what one place does wrong once."""
        self.errors = self.distinct()
        self.finalize()


_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def collected(make: Callable[[_Given], _Made], given: Sequence[_Given], *, environments: bool = False) -> list[_Made]:
    """Return what is made of each of several, such as `environments`; the errors of all are raised together."""
    collector = ErrorCollector()
    found = []
    for one in given:
        with collector.collect(str(one) if environments and len(given) > 1 else ""):
            found.append(make(one))
    collector.finalize()
    return found


def _said(error: InfraspecError) -> tuple[object, ...]:
    return type(error), error.place, error.message, error.excerpt, error.expected, error.found, error.remedy


def _identity(error: InfraspecError) -> tuple[object, ...]:
    return (type(error), error.place, error.excerpt) if error.place else (error.message,)
