"""What AWS answers in one run: every question is asked once, with all its pages, whoever needs the answer.

Without this each question would wait anew, and a run against an AWS that does not answer would take hours.

The files are in a directory that only the user of the run can read, and that goes with the run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from botocore import exceptions
from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError
from filelock import FileLock, Timeout
from msgspec import to_builtins

from infraspec.aws.calls import Calls, Question
from infraspec.aws.failures import code_of, failures
from infraspec.aws.guard import UNSHARED, api_name
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.core.errors import (
    AwsError,
    CredentialsError,
    GuardError,
    InfraspecError,
    ResourceRefusalError,
    RunnerPermissionError,
)


class Outages:
    """Endpoints that no connection brought an answer from, and operations that were throttled or failed to the end.

    With `one_endpoint` all services are behind the same address, as in the sandbox.
    """

    def __init__(self, *, one_endpoint: bool) -> None:
        self._one_endpoint = one_endpoint
        self._found: dict[tuple[str, ...], tuple[str, str]] = {}

    @contextmanager
    def noticed(self, service: str, operation: str, region: str) -> Iterator[None]:
        """Ask inside, where botocore's exceptions pass. Raises AwsError if the same has not answered before."""
        endpoint = () if self._one_endpoint else (service, region)
        asked = (service, region, operation)
        for key in (endpoint, asked):
            if key in self._found:
                first, cause = self._found[key]
                raise AwsError(
                    f"AWS was not asked, since it did not answer {first}",
                    place=f"{service}.{operation} in {region}",
                    found=cause,
                )
        try:
            yield
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            self._found[endpoint] = (f"{service}.{operation}", f"{type(error).__name__}: {error}")
            raise
        except exceptions.ClientError as error:
            if _is_exhausted(error.response):
                self._found[asked] = ("the same operation", error.response["Error"]["Code"])
            raise


def _is_exhausted(response: Any) -> bool:
    """Tell whether botocore asked again as often as it does, and was not answered still."""
    about = response.get("ResponseMetadata", {})
    return bool(about.get("MaxAttemptsReached") or about.get("RetryQuotaReached"))


_KINDS = (AwsError, CredentialsError, GuardError, ResourceRefusalError, RunnerPermissionError)
_ERRORS = {kind.__name__: kind for kind in _KINDS}
_SECONDS = 600
_AT_ONCE = 8
"""How many questions are asked at a time: a client keeps ten connections."""
_WORTHWHILE = 2
"""For one question alone nobody else need be woken."""


class AnswerStore:
    """A file for each question, and a lock for the time that one process asks it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def answer(self, label: str, key: str, fetch: Callable[[], Any]) -> Any:
        """Return the answer to a question, an InfraspecError if it is one, asking if no process has yet.

        `key` tells the question from every other, `label` is a word for people. Raises AwsError if the process that
        asks does not come to an end.
        """
        path = self._directory / f"{label}-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        if path.exists():
            return _decoded(path.read_bytes())
        try:
            with FileLock(f"{path}.lock", timeout=_SECONDS):
                if path.exists():
                    return _decoded(path.read_bytes())
                answer = fetch()
                self._keep(path, answer)
                return answer
        except OSError as error:
            if not isinstance(error, Timeout):
                return fetch()
            raise AwsError(f"another process has asked for {label} for {_SECONDS // 60} minutes") from None

    @staticmethod
    def _keep(path: Path, answer: Any) -> None:
        """Write an answer whole or not at all; where the disk is full, the next process asks for itself."""
        part = path.with_name(f"{path.name}.part")
        try:
            part.write_bytes(_encoded(answer))
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)


def _encoded(answer: Any) -> bytes:
    if isinstance(answer, InfraspecError):
        return msgspec.msgpack.encode({"error": type(answer).__name__, "state": answer.__dict__})
    return msgspec.msgpack.encode({"answer": answer})


def _decoded(content: bytes) -> Any:
    found = msgspec.msgpack.decode(content)
    if "error" in found:
        state = found["state"]
        return _ERRORS[found["error"]](state.pop("message"), **state)
    return found["answer"]


def is_shared(question: Question) -> bool:
    """Tell whether an answer may be handed to other processes of the run."""
    return (question.service, api_name(question.service, question.operation)) not in UNSHARED


class Snapshot(Calls):
    """Calls of boto3 clients. Answers and errors are kept: what was denied or timed out once is not asked again."""

    def __init__(
        self,
        clients: Clients,
        identity: CallerIdentity,
        *,
        taken: datetime | None = None,
        store: AnswerStore | None = None,
        asking: Callable[[str, str, str], None] | None = None,
    ) -> None:
        self.account = identity.account
        self.partition = identity.partition
        self.region = clients.region
        self.taken = taken or datetime.now(tz=UTC)
        self._clients = clients
        self._store = store
        self._asking = asking
        self._identity = identity
        self._answers: dict[str, Any] = {}
        self._outages = Outages(one_endpoint=clients.is_local)

    def renewed(self) -> Snapshot:
        """Return one that has asked nothing yet: for what changes while it is watched."""
        return Snapshot(self._clients, self._identity, asking=self._asking)

    def refusals(self) -> Mapping[str, str]:
        """Return what the runner was not let ask so far, each with what lets it."""
        refused = (one for one in self._answers.values() if isinstance(one, RunnerPermissionError))
        return {one.place: one.remedy for one in refused}

    def answer(self, question: Question) -> Any:
        """Return the answer to a question, asking if nobody has yet."""
        key = _key(question)
        if key not in self._answers:
            self._say(question)
            self._answers[key] = self._got(question, key)
        answer = self._answers[key]
        if isinstance(answer, InfraspecError):
            raise answer.with_traceback(None)
        return answer

    def prepare(self, questions: Sequence[Question]) -> None:
        """Get answers many at a time: botocore waits where a service asks it to, and its clients are for all threads.

        Source: boto3 documentation, "Low-level clients", "Multithreading or multiprocessing with clients".
        """
        missing = {key: one for one in questions if (key := _key(one)) not in self._answers}
        if len(missing) < _WORTHWHILE:
            return
        for one in {(question.service, question.region): question for question in missing.values()}.values():
            self._say(one)
            with suppress(InfraspecError), failures(one.service, one.operation, one.region):
                self._clients.client(one.service, one.region)  # to make one is not for all threads
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            self._answers |= zip(missing, pool.map(self._got, missing.values(), missing), strict=True)

    def _say(self, question: Question) -> None:
        if self._asking:
            self._asking(question.service, question.operation, question.region)

    def _got(self, question: Question, key: str) -> Any:
        """Return an answer or the error that it is: what another process has got, or else what AWS says now."""
        if self._store and is_shared(question):
            label, shared = f"{question.service}.{question.operation}", f"{self.account} {key}"
            return self._store.answer(label, shared, lambda: self._fetched(question))
        return self._fetched(question)

    def _fetched(self, question: Question) -> Any:
        try:
            with failures(question.service, question.operation, question.region):
                client = self._clients.client(question.service, question.region)
                with self._outages.noticed(question.service, question.operation, question.region):
                    try:
                        return _read(_paged if question.key else _asked, question, client)
                    except ClientError as error:
                        if code_of(error) in question.absent:
                            return None
                        raise
        except InfraspecError as error:
            return error


def _key(question: Question) -> str:
    return json.dumps(to_builtins(question), sort_keys=True)


def _asked(question: Question, client: Any) -> Any:
    return _whole(question, getattr(client, question.operation)(**question.parameters))


def _paged(question: Question, client: Any) -> list[Any]:
    if client.can_paginate(question.operation):
        pages = client.get_paginator(question.operation).paginate(**question.parameters)
    else:
        pages = _followed(getattr(client, question.operation), question)
    return [item for page in _ending(pages, question) for item in _whole(question, page).get(question.key) or ()]


def _ending(pages: Iterable[Mapping[str, Any]], question: Question) -> Iterator[Mapping[str, Any]]:
    """Yield pages. Raises AwsError if they do not end."""
    for number, page in enumerate(pages):
        if number == _MOST_PAGES:
            raise _endless(question, f"{_MOST_PAGES} pages, and a token for one more")
        yield page


def _endless(question: Question, found: str) -> AwsError:
    return AwsError(
        "AWS answers with pages that do not end",
        place=f"{question.service}.{question.operation} in {question.region}",
        found=found,
        remedy="check what is in between: a proxy or an emulator of AWS; if there is nothing, run again",
    )


_MOST_PAGES = 10_000
"""A page has 50 or 100 of something: nobody has a million of it."""


_ABSENT = "MISSING"
_PARTIAL = ("InternalError", "Forbidden", "PartialData")


def _whole(question: Question, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer that is about all that was asked for. Raises AwsError for what AWS did not get round to.

    What does not exist is no failure of AWS. Sources: Amazon ECS API Reference, "Failure" (and "API failure reasons");
    Amazon CloudWatch API Reference, MetricDataResult (StatusCode); Amazon DynamoDB API Reference, UnprocessedKeys.
    """
    failed = [str(one.get("reason", "")) for one in answer.get("failures") or () if one.get("reason") != _ABSENT]
    failed += [str(one.get("ErrorCode", "")) for one in answer.get("Errors") or () if isinstance(one, Mapping)]
    results = answer.get("MetricDataResults") or ()
    failed += [
        one["StatusCode"] for one in results if one.get("StatusCode") in _PARTIAL and not answer.get("NextToken")
    ]
    failed += [name for name in ("UnprocessedKeys", "UnprocessedItems") if answer.get(name)]
    if failed:
        raise AwsError(
            "AWS answered for a part of what was asked alone",
            place=f"{question.service}.{question.operation} in {question.region}",
            found=", ".join(dict.fromkeys(failed)),
            remedy="run it again",
        )
    return answer


_STREAM_ATTEMPTS = 3
_TOKENS = ("nextToken", "NextToken")


def _followed(call: Callable[..., Any], question: Question) -> Iterator[Mapping[str, Any]]:
    """Follow the tokens of an operation that botocore has no paginator for, such as ListServiceDeployments."""
    token: dict[str, str] = {}
    while True:
        page = call(**question.parameters, **token)
        yield page
        following = {name: page[name] for name in _TOKENS if page.get(name)}
        if not following:
            return
        if following == token:
            raise _endless(question, "the same token twice")
        token = following


def _read(fetch: Callable[[Question, Any], Any], question: Question, client: Any) -> Any:
    """Ask again where a stream breaks off, as botocore does for every other answer than the object of a bucket."""
    for _ in range(_STREAM_ATTEMPTS - 1):
        with suppress(IncompleteReadError, ResponseStreamingError):
            return _plain(fetch(question, client))
    return _plain(fetch(question, client))


def _plain(answer: Any) -> Any:
    """Return builtin types, alike in every process: times in UTC, what is streamed read, no data of the transport."""
    match answer:
        case dict():
            return {key: _plain(value) for key, value in answer.items() if key != "ResponseMetadata"}
        case list():
            return [_plain(value) for value in answer]
        case datetime():
            return answer.astimezone(UTC)
        case _ if hasattr(answer, "iter_chunks"):
            return answer.read()
        case _:
            return answer
