"""Disturb what is between the suite and AWS, each time otherwise, and print what is said that is not so.

`python -m tests.out_of_band.disturbances` prints a line of JSON for each row of data/disturbances.toml: how many
verdicts are left, and those that are another one than without the disturbance, of which there must be none.
"""

from __future__ import annotations

import gc
import io
import itertools
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
from botocore import client as botocore_client
from botocore import exceptions, xform_name
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.parsers import ResponseParserError
from msgspec import Struct
from urllib3 import HTTPResponse

from tests.out_of_band.__main__ import forked
from tests.out_of_band.account import Deployed
from tests.out_of_band.changing import DATA
from tests.out_of_band.denials import verdicts, with_hook
from tests.out_of_band.judging import Looked, look

Hook = Callable[[str], Any]
_PAGE = b"<!DOCTYPE html><html><p>Service Unavailable</html>"
_BODIES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda body: body[: len(body) // 2],
    "empty": lambda _: b"",
    "page": lambda _: _PAGE,
    "null": lambda _: b"null",
    "list": lambda _: b"[]",
    "number": lambda _: b"0",
    "bytes": lambda _: bytes(range(128, 256)),
    "error": lambda _: b"<Error><Code>InternalError</Code><Message>as told</Message></Error>",
    "others": lambda _: b"<Surprise><Items/></Surprise>",
}
_TOKEN = "a-token-of-this-test"  # noqa: S105 - of pages
_MOST_PAGES = 20_000
"""After how many pages of one operation a run is taken for one that does not end."""


class Disturbance(Struct, frozen=True):
    """What happens to the operations that a pattern fits; `kind` is the table that it stands in."""

    name: str
    kind: str
    pattern: str
    arguments: list[Any]

    def begin(self) -> None:
        """Disturb this process from now on."""
        botocore.endpoint.time = SimpleNamespace(sleep=lambda _seconds: None)
        match self.kind:
            case "error":
                code, status = self.arguments
                with_hook(self._hook(_refusing(code, status)))
            case "expired":
                code, calls = self.arguments
                with_hook(_counting(calls, _refusing(code, 403)))
            case "raised":
                with_hook(self._hook(partial(_raise, self.arguments[0])))
            case "silent":
                code, status = self.arguments
                with_hook(self._hook(_refusing(code, status, message="")))
            case "pages":
                self._change_pages(*self.arguments)
            case "answer":
                answer = {**self.arguments[0], "ResponseMetadata": {}}
                with_hook(self._hook(lambda: (SimpleNamespace(status_code=200), answer)))
            case _:
                self._change_bodies(_BODIES[self.arguments[0]])

    def _hook(self, answer: Callable[[], Any]) -> Hook:
        return lambda asked: answer() if self._is_meant(asked) else None

    def _is_meant(self, asked: str) -> bool:
        return bool(re.match(self.pattern, asked)) and asked != "sts.GetCallerIdentity"

    def _change_pages(self, kind: str) -> None:
        """Let there be a further page of each answer that has a token for one."""
        original = botocore_client.BaseClient._make_request
        firsts: dict[str, Any] = {}
        numbers = itertools.count()

        def make(own: Any, model: Any, *arguments: Any) -> Any:
            asked = f"{model.service_model.service_name}.{model.name}"
            paging = _paging(own, model.name) if self._is_meant(asked) else None
            if paging is None:
                return original(own, model, *arguments)
            is_first = _TOKEN not in str(arguments[0])
            if not is_first and kind in _LATER:
                return _refusing(*_LATER[kind])()
            if is_first:
                firsts[asked] = original(own, model, *arguments)
            response, answer = firsts[asked]
            number = next(numbers)
            assert number < _MOST_PAGES, f"{asked}: it does not end"
            if is_first and kind == "empty":
                answer = {name: value if name not in paging["result_key"] else [] for name, value in answer.items()}
            token = f"{_TOKEN}-{number}" if kind == "endless" else _TOKEN
            return response, answer if kind == "empty" and not is_first else {**answer, paging["output_token"]: token}

        botocore_client.BaseClient._make_request = make

    def _change_bodies(self, change: Callable[[bytes], bytes]) -> None:
        """Change the bodies of answers, which botocore then reads."""
        current: list[str] = [""]
        with_hook(lambda asked: current.__setitem__(0, asked))
        original = URLLib3Session.send

        def send(session: Any, request: Any) -> AWSResponse:
            answer = original(session, request)
            if not self._is_meant(current[0]) or request.stream_output:
                return answer
            kept = {name.lower(): value for name, value in answer.headers.items()}
            headers = {**kept, "content-length": str(len(change(answer.content)))}
            raw = HTTPResponse(io.BytesIO(change(answer.content)), headers, answer.status_code, preload_content=False)
            changed = AWSResponse(request.url, answer.status_code, raw.headers, raw)
            changed.content  # noqa: B018 - as botocore reads it
            return changed

        URLLib3Session.send = send


def read_disturbances() -> Iterator[Disturbance]:
    """Yield the rows of the table."""
    for kind, rows in tomllib.loads((DATA / "disturbances.toml").read_text(encoding="utf-8")).items():
        for name, (pattern, *arguments) in rows.items():
            yield Disturbance(name, kind, pattern, arguments)


_LATER = {
    "fails": ("InternalFailure", 500),
    "refused": ("AccessDeniedException", 403),
    "throttled": ("Throttling", 400),
}
"""What the second page is answered with."""


def _paging(client: Any, name: str) -> Mapping[str, Any] | None:
    """Return how an operation has pages, where one name tells the next; None of others."""
    operation = xform_name(name)
    told = client.get_paginator(operation)._pagination_cfg if client.can_paginate(operation) else {}
    token, more = told.get("output_token"), told.get("more_results")
    keys = told.get("result_key")
    is_plain = isinstance(token, str) and token.isalnum() and not more
    return {"output_token": token, "result_key": [keys] if isinstance(keys, str) else keys} if is_plain else None


def _refusing(code: str, status: int, message: str = "as told") -> Callable[[], Any]:
    error = {"Code": code, "Message": message}
    about = {"HTTPStatusCode": status, "MaxAttemptsReached": True, "RetryAttempts": 7}
    return lambda: (SimpleNamespace(status_code=status), {"Error": error, "ResponseMetadata": about})


def _counting(calls: int, answer: Callable[[], Any]) -> Hook:
    asked = itertools.count()
    return lambda _operation: answer() if next(asked) > calls else None


def _raise(name: str) -> None:
    if name == ResponseParserError.__name__:
        raise ResponseParserError("a page")
    also = {"actual_bytes": 1, "expected_bytes": 2}
    raise getattr(exceptions, name)(
        endpoint_url="https://example.com", error="as told", proxy_url="http://proxy", **also
    )


def disturbed(deployed: Deployed, before: Looked, disturbance: Disturbance) -> dict[str, Any]:
    """Return what a disturbance does to the verdicts."""
    disturbance.begin()
    try:
        after = look(deployed)
    except Exception as error:  # noqa: BLE001 - the run has no verdict then, and says why
        return {"left": 0, "of": len(before.findings), "wrong": [], "ended": f"{type(error).__name__}: {error}"[:200]}
    return verdicts(before, after)


def main(pattern: str = "") -> None:
    """Print a line for each disturbance."""
    deployed = Deployed()
    before = look(deployed)
    gc.freeze()
    for one in read_disturbances():
        if re.search(pattern, one.name):
            result = forked(partial(disturbed, deployed, before, one))
            print(json.dumps({"name": one.name, **result}), flush=True)  # noqa: T201 - its output


if __name__ == "__main__":
    main(*sys.argv[1:])
