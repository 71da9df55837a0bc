"""What AWS answers in one run: every question is asked once, with all its pages, whoever needs the answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from botocore.exceptions import ClientError, IncompleteReadError, ResponseStreamingError
from msgspec import Struct

from infraspec.aws.failures import code_of, failures
from infraspec.aws.identity import Identity
from infraspec.aws.outages import Outages
from infraspec.aws.reads import UNSHARED, api_name
from infraspec.aws.session import Clients
from infraspec.aws.store import Store
from infraspec.errors import InfraspecError

T = TypeVar("T")


class _AbsentError(Exception):
    """AWS answered that there is no such thing, with a code that the caller takes for that."""


class Question(Struct, frozen=True):
    """A call: `reading` is what is made of its answer, `ask` or the key that all pages are joined under."""

    service: str
    operation: str
    region: str
    reading: str
    absent: tuple[str, ...]
    parameters: Mapping[str, Any]

    def key(self) -> str:
        """Return what tells it from every other question."""
        parts = (self.service, self.operation, self.region, self.reading, self.absent, self.parameters)
        return json.dumps(parts, sort_keys=True, default=str)

    @property
    def is_shared(self) -> bool:
        """Whether its answer may be handed to other processes of the run."""
        return (self.service, api_name(self.service, self.operation)) not in UNSHARED


class Snapshot:
    """Calls of boto3 clients. Answers and errors are kept: what was denied or timed out once is not asked again."""

    def __init__(
        self,
        clients: Clients,
        identity: Identity,
        *,
        taken: datetime | None = None,
        store: Store | None = None,
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

    def ask(
        self,
        service: str,
        operation: str,
        /,
        *,
        region: str | None = None,
        absent: Collection[str] = (),
        **parameters: Any,
    ) -> Mapping[str, Any] | None:
        """Return the answer of one call, None if there is no such thing."""
        place = region or self.region
        question = Question(service, operation, place, "ask", tuple(sorted(absent)), parameters)
        answer: Mapping[str, Any] | None = self._answer(question, self._asked)
        return answer

    def pages(
        self,
        service: str,
        operation: str,
        key: str,
        /,
        *,
        region: str | None = None,
        absent: Collection[str] = (),
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """Return what all pages of an operation have under `key`."""
        question = Question(service, operation, region or self.region, key, tuple(sorted(absent)), parameters)
        return tuple(self._answer(question, self._paged) or ())

    def batches(
        self,
        service: str,
        operation: str,
        key: str,
        /,
        *,
        argument: str,
        values: Sequence[str],
        size: int,
        region: str | None = None,
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """Return what the answers have under `key`, asked for `size` of the values at a time as `argument`."""
        distinct = list(dict.fromkeys(values))
        parts = [distinct[start : start + size] for start in range(0, len(distinct), size)]
        return tuple(
            item
            for part in parts
            for item in self.pages(service, operation, key, region=region, **{**parameters, argument: part})
        )

    def _answer(self, question: Question, fetch: Callable[[Question, Any], Any]) -> Any:
        key = question.key()
        if key not in self._answers:
            if self._store and question.is_shared:
                label, shared = f"{question.service}.{question.operation}", f"{self.account} {key}"
                self._answers[key] = self._store.answer(label, shared, lambda: self._fetched(question, fetch))
            else:
                self._answers[key] = self._fetched(question, fetch)
        answer = self._answers[key]
        if isinstance(answer, InfraspecError):
            raise answer.with_traceback(None)
        return answer

    def _fetched(self, question: Question, fetch: Callable[[Question, Any], Any]) -> Any:
        if self._asking:
            self._asking(question.service, question.operation, question.region)
        try:
            with failures(question.service, question.operation, question.region):
                client = self._clients.client(question.service, question.region)
                try:
                    with self._outages.noticed(question.service, question.operation, question.region):
                        return _read(fetch, question, client)
                except ClientError as error:
                    if code_of(error) in question.absent:
                        return None
                    raise
        except InfraspecError as error:
            return error

    @staticmethod
    def _asked(question: Question, client: Any) -> Any:
        return getattr(client, question.operation)(**question.parameters)

    @staticmethod
    def _paged(question: Question, client: Any) -> list[Any]:
        if client.can_paginate(question.operation):
            pages = client.get_paginator(question.operation).paginate(**question.parameters)
            return [item for page in pages for item in page.get(question.reading) or ()]
        return _followed(getattr(client, question.operation), question)


_STREAM_ATTEMPTS = 3
_TOKENS = ("nextToken", "NextToken")


def _followed(call: Callable[..., Any], question: Question) -> list[Any]:
    """Follow the tokens of an operation that botocore has no paginator for, such as ListServiceDeployments."""
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        page = call(**question.parameters, **token)
        found += page.get(question.reading) or ()
        following = {name: page[name] for name in _TOKENS if page.get(name)}
        if not following or following == token:
            return found
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
