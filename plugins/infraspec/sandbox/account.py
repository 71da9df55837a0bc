"""The account that the sandbox plays: its clients, for whoever holds an access key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

if TYPE_CHECKING:
    import boto3

_SECRET = "sandbox"  # noqa: S105 - the sandbox does not look at signatures


class Account(Struct):
    """An account and region behind an endpoint, with the access key of one who asks."""

    endpoint: str
    account: str
    region: str
    partition: str
    key: str
    _session: boto3.Session | None = None
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, service: str, region: str | None = None) -> Any:
        """Return the client of a service, made once."""
        place = (service, region or self.region)
        if place not in self._clients:
            self._clients[place] = self._make(*place)
        return self._clients[place]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def close(self) -> None:
        """Close the connections of all clients; a client that is asked for afterwards is a new one."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which the AWS SDKs and the AWS CLI ask this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": _SECRET,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _make(self, service: str, region: str) -> Any:
        import boto3  # noqa: PLC0415 - the static path never imports it
        from botocore.config import Config  # noqa: PLC0415 - likewise

        from infraspec.aws.guard import GUARD  # noqa: PLC0415 - likewise

        if self._session is None:
            with GUARD.permitting():  # a sandbox is filled by writes, and leaves this machine with none
                self._session = boto3.Session(self.key, _SECRET, region_name=self.region)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=5,
            read_timeout=60,
            parameter_validation=True,
            s3={"addressing_style": "path"},
        )
        return self._session.client(service, region_name=region, endpoint_url=self.endpoint, config=config)
