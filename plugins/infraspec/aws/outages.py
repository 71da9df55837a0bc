"""What has not answered, after all attempts, is not asked again in the run: an outage is waited for once.

Without this each question would wait anew, and a run against an AWS that does not answer would take hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions

from infraspec.errors import AwsError


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
