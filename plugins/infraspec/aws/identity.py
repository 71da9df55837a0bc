"""Who asks AWS: account, partition and role, as AWS itself says."""

from __future__ import annotations

from msgspec import Struct

from infraspec.arn import Arn
from infraspec.aws.failures import failures
from infraspec.aws.session import Clients


class Identity(Struct, frozen=True):
    """The caller: `arn` is that of a user, a role's session or the account's root."""

    account: str
    partition: str
    arn: str

    @classmethod
    def of(cls, clients: Clients) -> Identity:
        """Ask AWS who calls. Raises CredentialsError or AwsError."""
        with failures("sts", "get_caller_identity", clients.region):
            answer = clients.client("sts").get_caller_identity()
        return cls(answer["Account"], Arn.parse(answer["Arn"]).partition, answer["Arn"])

    @property
    def role(self) -> str:
        """The name of the role whose session this is; empty for a user or the root."""
        kind, _, rest = self.arn.split(":", 5)[5].partition("/")
        return rest.split("/")[0] if kind == "assumed-role" else ""
