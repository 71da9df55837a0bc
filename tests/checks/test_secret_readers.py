"""Rule `secret-readers`: who may read the secrets of a plan, and whom the contract lets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.policies.readers import SecretReaders
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.contract.models import Contract, Suite
from infraspec.core.errors import EmptySelectionError
from infraspec.core.finding import Finding, Verdict
from infraspec.terraform.plan import Change, Plan
from infraspec.terraform.provider.known_data import KnownData
from tests.checks.test_reader_index import AskingAll
from tests.terraform.iam_exports import allow, export, group, policy, role, user, with_export
from tests.terraform.sources import plan_of

ACCOUNT, OTHER = "111122223333", "123456789012"
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
BASE = """
resource "aws_secretsmanager_secret" "db" { name = "app-prod-db" }
resource "aws_secretsmanager_secret" "api" { name = "app-prod-api" }
resource "aws_iam_role" "app" {
  name               = "app-prod-app-execution"
  assume_role_policy = "{\\"Statement\\": []}"
}
resource "aws_iam_role_policy" "app" {
  role   = aws_iam_role.app.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.db.arn
    }]
  })
}
"""
ADMIN = """
resource "aws_iam_role" "admin" {
  name                = "admin"
  assume_role_policy  = "{\\"Statement\\": []}"
  managed_policy_arns = ["arn:aws:iam::aws:policy/MANAGED"]
}
"""


def plan(directory: Path, source: str) -> Plan:
    """Evaluate source in a known account and region."""
    return plan_of(directory, source, known=KnownData.of({}, account=ACCOUNT, region="eu-west-1"))


def shared(statement: str) -> str:
    """Return a resource policy of the secret `db` with one statement."""
    return f"""
    resource "aws_secretsmanager_secret_policy" "db" {{
      secret_arn = aws_secretsmanager_secret.db.arn
      policy     = jsonencode({{ Version = "2012-10-17", Statement = [{statement}] }})
    }}
    """


def let_in(principal: str, more: str = "") -> str:
    """Return a statement that lets a principal read."""
    return f'{{ Effect = "Allow", Action = "secretsmanager:*", Resource = "*", Principal = {principal}{more} }}'


def contract(**readers: list[str]) -> Contract:
    """Return a contract that names readers."""
    return Contract.model_validate(
        {
            "project": {"application": "app"},
            "environments": {"prod": {"account_id": ACCOUNT, "region": "eu-west-1"}},
            "policies": {"secret_readers": readers},
        }
    )


def findings(directory: Path, source: str, **readers: Any) -> list[Finding]:
    """Check a plan."""
    return check_secret_readers(plan(directory, source), contract(**readers), "prod")


def test_the_readers_of_a_secret(tmp_path: Path) -> None:
    """A secret's finding names everybody of the plan that may read it."""
    db, api = findings(tmp_path, BASE + ADMIN.replace("MANAGED", "AdministratorAccess"))

    assert (db.verdict, db.reason) == (PROVEN, "read by aws_iam_role.admin, aws_iam_role.app")
    assert (api.verdict, api.reason) == (PROVEN, "read by aws_iam_role.admin")


def test_a_reader_that_the_contract_does_not_name(tmp_path: Path) -> None:
    """The finding names reader, statement with its line, and what to write to accept it."""
    allowed = {"{application}-{environment}-*": ["{application}-{environment}-*-execution"]}
    first, second = findings(tmp_path, BASE + ADMIN.replace("MANAGED", "AdministratorAccess"), **allowed)

    assert [(f.verdict, f.address, f.subject) for f in (first, second)] == [
        (VIOLATED, "aws_secretsmanager_secret.db", "aws_iam_role.admin"),
        (VIOLATED, "aws_secretsmanager_secret.api", "aws_iam_role.admin"),
    ]
    assert "allowed by arn:aws:iam::aws:policy/AdministratorAccess Statement.0" in first.reason
    assert "'aws_secretsmanager_secret.db' = ['app-prod-*-execution', 'aws_iam_role.admin']" in first.remedy


@pytest.mark.parametrize("name", ["aws_iam_role.admin", "admin", f"arn:aws:iam::{ACCOUNT}:role/admin", "adm*"])
def test_a_reader_goes_by_address_name_or_arn(tmp_path: Path, name: str) -> None:
    """The contract may name a role in any of its names."""
    source = BASE + ADMIN.replace("MANAGED", "AdministratorAccess")

    assert {f.verdict for f in findings(tmp_path, source, **{"*": ["aws_iam_role.app", name]})} == {PROVEN}


def test_a_policy_that_is_not_known_may_let_a_role_read(tmp_path: Path) -> None:
    """Without a list it does not matter; with one it cannot be decided."""
    source = BASE + ADMIN.replace("MANAGED", "SomethingElse")

    assert [f.verdict for f in findings(tmp_path, source)] == [PROVEN, PROVEN]
    db, api = findings(tmp_path, source, **{"*": ["aws_iam_role.app"]})
    assert (db.verdict, db.subject, api.verdict) == (UNDETERMINED, "aws_iam_role.admin", UNDETERMINED)
    assert "SomethingElse" in db.reason


@pytest.mark.parametrize(
    ("statement", "reader", "verdict"),
    [
        (let_in('"*"'), "everybody", VIOLATED),
        (let_in('{ AWS = "*" }'), "everybody", VIOLATED),
        (let_in(f'{{ AWS = "{OTHER}" }}'), OTHER, VIOLATED),
        (let_in(f'{{ AWS = "arn:aws:iam::{OTHER}:role/ci" }}'), f"arn:aws:iam::{OTHER}:role/ci", VIOLATED),
        (let_in('"*"', ', Condition = { StringEquals = { "aws:PrincipalOrgID" = "o-1" } }'), "everybody", UNDETERMINED),
        (let_in('"*"', ', Condition = { Bool = { "aws:SecureTransport" = "true" } }'), "everybody", VIOLATED),
        (let_in('"*"', ', Condition = { Bool = { "aws:SecureTransport" = "false" } }'), "", PROVEN),
        (let_in(f'{{ AWS = "arn:aws:iam::{ACCOUNT}:root" }}'), "", PROVEN),
        (let_in(f'{{ AWS = "arn:aws:iam::{ACCOUNT}:role/other" }}'), "", PROVEN),
        (let_in('{ Service = "redshift.amazonaws.com" }'), "", PROVEN),
        (
            let_in(f'{{ AWS = "{ACCOUNT}" }}').replace("Principal", "NotPrincipal"),
            "everybody else",
            VIOLATED,
        ),
        (
            let_in(f'{{ AWS = "{OTHER}" }}')
            + ', { Effect = "Deny", Action = "*", Resource = "*", Principal = "*", '
            + 'Condition = { Bool = { "aws:SecureTransport" = "false" } } }',
            OTHER,
            VIOLATED,
        ),
        (
            let_in(f'{{ AWS = "{OTHER}" }}') + ', { Effect = "Deny", Action = "*", Resource = "*", Principal = "*" }',
            "",
            PROVEN,
        ),
        (let_in('"*"').replace("secretsmanager:*", "secretsmanager:DescribeSecret"), "", PROVEN),
    ],
)
def test_whom_the_policy_of_a_secret_lets_in(tmp_path: Path, statement: str, reader: str, verdict: Verdict) -> None:
    """Without a list, principals of other accounts and everybody are too many."""
    db, _ = findings(tmp_path, BASE + shared(statement))

    assert (db.verdict, db.subject) == (verdict, reader)


def test_another_account_can_be_named(tmp_path: Path) -> None:
    """The contract may name a principal of another account as the policy does."""
    source = BASE + shared(let_in(f'{{ AWS = "arn:aws:iam::{OTHER}:role/ci" }}'))

    assert (
        findings(tmp_path, source, **{"*db": ["aws_iam_role.app", f"arn:aws:iam::{OTHER}:role/*"]})[0].verdict is PROVEN
    )


def test_a_role_of_the_plan_that_the_secret_denies_is_no_reader(tmp_path: Path) -> None:
    """The policy of the secret counts for the principals of the plan too."""
    deny = '{ Effect = "Deny", Action = "*", Resource = "*", Principal = { AWS = aws_iam_role.app.arn } }'
    both = let_in("{ AWS = aws_iam_role.app.arn }")
    source = BASE + shared(f"{both}, {deny}")

    assert findings(tmp_path, source)[0].reason == "read by nobody in the plan"


def test_a_role_of_the_plan_that_the_secret_alone_lets_in(tmp_path: Path) -> None:
    """It reads without a policy of its own, and is named once, by its address."""
    other = 'resource "aws_iam_role" "other" {\n  name = "other"\n  assume_role_policy = "{}"\n}\n'
    source = BASE + other + shared(let_in("{ AWS = aws_iam_role.other.arn }"))

    assert findings(tmp_path, source)[0].reason == "read by aws_iam_role.app, aws_iam_role.other"


def test_an_administrator_that_one_secret_denies(tmp_path: Path) -> None:
    """Whoever may read every secret is asked again where a secret has a policy of its own."""
    deny = '{ Effect = "Deny", Action = "*", Resource = "*", Principal = { AWS = aws_iam_role.admin.arn } }'
    db, api = findings(tmp_path, BASE + ADMIN.replace("MANAGED", "AdministratorAccess") + shared(deny))

    assert (db.reason, api.reason) == ("read by aws_iam_role.app", "read by aws_iam_role.admin")


def test_a_statement_about_all_but_one_secret(tmp_path: Path) -> None:
    """NotResource lets read what it does not list."""
    source = BASE.replace("Resource = aws", "NotResource = aws")
    db, api = findings(tmp_path, source)

    assert (db.reason, api.reason) == ("read by nobody in the plan", "read by aws_iam_role.app")


def test_users_and_groups_read_too(tmp_path: Path) -> None:
    """Inline and attached policies of users and groups count, a boundary limits them."""
    head = 'jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Resource = "*", Action ='
    allow = f'{head} "secretsmanager:*" }}] }})'
    source = (
        BASE
        + f"""
    resource "aws_iam_policy" "read" {{ policy = {allow} }}
    resource "aws_iam_policy" "none" {{
      policy = {head} "s3:*" }}] }})
    }}
    resource "aws_iam_user" "ops" {{ name = "ops" }}
    resource "aws_iam_user" "limited" {{
      name                 = "limited"
      permissions_boundary = aws_iam_policy.none.arn
    }}
    resource "aws_iam_group" "team" {{ name = "team" }}
    resource "aws_iam_user_policy" "ops" {{
      user   = aws_iam_user.ops.name
      policy = {allow}
    }}
    resource "aws_iam_user_policy" "limited" {{
      user   = "limited"
      policy = {allow}
    }}
    resource "aws_iam_group_policy_attachment" "team" {{
      group      = aws_iam_group.team.name
      policy_arn = aws_iam_policy.read.arn
    }}
    """
    )
    evaluated = plan(tmp_path, source)
    (api,) = (s for s in evaluated.managed("aws_secretsmanager_secret") if s.name == "api")

    assert [reader.name for reader in SecretReaders(evaluated).of(api)] == ["aws_iam_group.team", "aws_iam_user.ops"]


def test_a_secret_that_the_contract_names_and_there_is_not(tmp_path: Path) -> None:
    """A misspelt pattern is an error, not a rule that nobody checks; `allow_empty` allows it."""
    with pytest.raises(EmptySelectionError) as caught:
        findings(tmp_path, BASE, **{"app-prod-bd": ["admin"]})

    assert "app-prod-bd" in caught.value.message
    assert "app-prod-db" in caught.value.found
    given = contract(**{"app-prod-bd": ["admin"]})
    allowing = given.model_copy(update={"suite": Suite(allow_empty=["secret-readers:app-prod-bd"])})
    assert len(check_secret_readers(plan(tmp_path, BASE), allowing, "prod")) == 2


LISTED = [
    "*",
    "*:secret:app-prod-*",
    "arn:aws:secretsmanager:*:*:secret:app-prod-a*",
    "arn:aws:secretsmanager:eu-west-?:111122223333:secret:app-prod-db-AbCdEf",
    "arn:aws:secretsmanager:eu-west-1:${var.account}:secret:app-prod-*",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:*-db-*",
    "arn:aws:secretsmanager:*",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-prod-db-??????",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-prod-db-AbCdEf",
    "ARN:AWS:secretsmanager:EU-WEST-1:111122223333:secret:app-prod-db-AbCdEf",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-prod-db",
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app-*",
    "${aws_secretsmanager_secret.db.arn}",
    "${aws_secretsmanager_secret.db.arn}*",
    "${aws_secretsmanager_secret.unnamed.arn}",
    "${var.secret}",
    "arn:aws:secretsmanager:eu-west-1:${var.account}:secret:app-prod-api-AbCdEf",
]


class Forgetting(dict[Any, Any]):
    """A dict that keeps nothing."""

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Forget it."""


@pytest.mark.parametrize(
    "own",
    [
        "",
        (
            '{ Effect = "Deny", Action = "*", Resource = "*", Principal = "*", '
            'Condition = { Bool = { "aws:SecureTransport" = false } } }'
        ),
        '{ Effect = "Deny", Action = "*", Resource = "*", NotPrincipal = { AWS = aws_iam_role.r0.arn } }',
        let_in("{ AWS = aws_iam_role.r3.arn }"),
        let_in('"*"', ', Condition = { StringEquals = { "aws:PrincipalArn" = aws_iam_role.r4.arn } }'),
    ],
)
def test_asking_few_principals_once_is_asking_all_each_time(tmp_path: Path, own: str) -> None:
    """Asking those that the index returns, and about what differs, gives what asking all about each secret gives."""
    source = BASE + 'variable "secret" {}\nvariable "account" {}\nresource "aws_secretsmanager_secret" "unnamed" {}\n'
    if own:
        source += shared(own) + shared(own).replace('"db"', '"api"').replace("secret.db", "secret.api")
    for number, listed in enumerate(LISTED):
        source += f"""
        resource "aws_iam_role" "r{number}" {{
          name               = "r{number}"
          assume_role_policy = "{{}}"
          inline_policy {{
            name   = "read"
            policy = jsonencode({{
              Statement = [{{ Effect = "Allow", Action = "secretsmanager:Get*", Resource = "{listed}" }}]
            }})
          }}
        }}
        """
    evaluated = plan(tmp_path, source)
    indexed, asking_all = SecretReaders(evaluated), SecretReaders(evaluated)
    vars(asking_all)["_index"] = AskingAll(asking_all._index.candidates)
    asking_all._answers = Forgetting()

    for secret in evaluated.managed("aws_secretsmanager_secret"):
        readers = indexed.of(secret)
        assert (secret.address, readers) == (secret.address, asking_all.of(secret))
        assert readers


READ = allow("secretsmanager:GetSecretValue")
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/read"
DENY = allow("secretsmanager:*", "*", "Deny")
ELSEWHERE = export(
    role("admin", {"all": allow("*")}),
    role("bounded", {"all": allow("*")}, boundary=POLICY),
    role("denied", {"all": allow("*"), "no": DENY}),
    role("other", {"all": allow("s3:*")}),
    role("app-prod-app-execution", {"all": allow("*")}),
    policies=[policy(POLICY, allow("s3:*"))],
    users=[user("alice", {"read": READ}), user("bob"), user("carol", {"read": READ, "no": DENY})],
    groups=[group("operators", {"read": READ}), group("guests", {"no": DENY})],
)


def of_account(kind: str, name: str) -> str:
    """Return an ARN of the account."""
    return f"arn:aws:iam::{ACCOUNT}:{kind}/{name}"


READERS = [of_account("group", "operators"), of_account("role", "admin"), of_account("user", "alice")]


def from_snapshot(directory: Path, source: str, **readers: Any) -> list[Finding]:
    """Check a plan with a snapshot of its account."""
    made = with_export(plan(directory, source), directory, ELSEWHERE)
    return check_secret_readers(made, contract(**readers), "prod")


def test_principals_of_a_snapshot_are_readers(tmp_path: Path) -> None:
    """Roles, users and groups of other stacks are asked, by all that they have; a role of the plan is the plan's."""
    db, api = from_snapshot(tmp_path, BASE)
    assert f"read by {', '.join([*READERS, 'aws_iam_role.app'])}" == db.reason
    assert f"read by {', '.join(READERS)}" == api.reason
    assert {PROVEN} == {db.verdict, api.verdict}


def test_a_reader_of_a_snapshot_that_nobody_names_is_too_many(tmp_path: Path) -> None:
    """It is shown with the line of the statement that lets it read, and goes by name and ARN."""
    found = from_snapshot(
        tmp_path, BASE, **{"app-prod-db": ["*-execution", "admin", READERS[0]], "app-prod-api": ["*"]}
    )
    (bad,) = [one for one in found if one.verdict is not PROVEN]
    assert (VIOLATED, READERS[2]) == (bad.verdict, bad.subject)
    assert bad.location is not None
    assert "iam0.json" == bad.location.file
    assert "inline policy read Statement.0" in bad.reason


def attach(kind: str, name: str) -> str:
    """Attach a policy of the plan that reads every secret."""
    return f"""
    resource "aws_iam_policy" "read" {{
      name   = "more"
      policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{ Effect = "Allow", Action = "secretsmanager:*", Resource = "*" }}]
      }})
    }}
    resource "aws_iam_{kind}_policy_attachment" "read" {{
      {kind}     = "{name}"
      policy_arn = aws_iam_policy.read.arn
    }}
    """


MAY_BE = """
resource "aws_iam_role" "x" {
  name_prefix        = "adm"
  assume_role_policy = "{\\"Statement\\": []}"
}
"""


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        (attach("user", "bob"), VIOLATED),
        (attach("user", "dan"), PROVEN),
        (attach("role", "other"), VIOLATED),
        ('resource "aws_iam_user" "alice" {\n  name = "alice"\n}', PROVEN),
        (MAY_BE, UNDETERMINED),
    ],
    ids=["a user", "a user that is not there", "a role", "a user of the plan", "a role that may be of the plan"],
)
def test_what_the_plan_does_to_principals_of_a_snapshot(source: str, verdict: Verdict, tmp_path: Path) -> None:
    """What the plan attaches to them counts too; those that it has are its own."""
    known = ["*-execution", "admin", *READERS] if verdict is not UNDETERMINED else ["*-execution", *READERS[::2]]
    found = from_snapshot(tmp_path, f"{BASE}\n{source}\n", **{"app-prod-*": known})
    assert verdict is max((one.verdict for one in found), key=[PROVEN, UNDETERMINED, VIOLATED].index)


UNCERTAIN = [f"perhaps {of_account('user', name)}" for name in ("alice", "carol")]


def test_principals_of_the_plan_are_as_the_plan_has_them(tmp_path: Path) -> None:
    """A user that the plan makes has what the plan says, whatever the snapshot has."""
    _, api = from_snapshot(tmp_path, BASE + 'resource "aws_iam_user" "alice" {\n  name = "alice"\n}')
    assert f"read by {', '.join(READERS[:2])}" == api.reason


@pytest.mark.parametrize(
    ("type_", "before", "expected"),
    [
        ("aws_iam_role", {"name": "admin", "arn": of_account("role", "admin")}, READERS[::2]),
        ("aws_iam_user_policy", {"user": "alice", "name": "read"}, [*READERS[:2], *UNCERTAIN]),
    ],
)
def test_what_a_plan_file_deletes(type_: str, before: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    """A role that is deleted reads nothing; what is taken away from users leaves them uncertain."""
    made = with_export(plan(tmp_path, BASE), tmp_path, ELSEWHERE)
    gone = made.replaced(changes=(Change(f"{type_}.x", ("delete",), type=type_, before=before),))
    _, api = check_secret_readers(gone, contract(), "prod")
    assert f"read by {', '.join(expected)}" == api.reason


def test_many_readers_are_counted(tmp_path: Path) -> None:
    """A dozen readers are named."""
    made = with_export(plan(tmp_path, BASE), tmp_path, export(*(role(f"r{i:02}", {"all": READ}) for i in range(20))))
    _, api = check_secret_readers(made, contract(), "prod")
    assert api.reason.endswith(f"{of_account('role', 'r11')} and 8 more")


def trusted(principal: str, more: str = "", effect: str = "Allow", action: str = "sts:AssumeRole") -> str:
    """Return a role that reads every secret, and whom it trusts."""
    return f"""
    resource "aws_iam_role" "reader" {{
      name               = "reader"
      assume_role_policy = jsonencode({{
        Version   = "2012-10-17"
        Statement = [{{ Effect = "{effect}", Principal = {principal}, Action = "{action}"{more} }}]
      }})
      inline_policy {{
        name   = "read"
        policy = jsonencode({{
          Version   = "2012-10-17"
          Statement = [{{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" }}]
        }})
      }}
    }}
    """


_USER = """
resource "aws_iam_user" "bob" { name = "bob" }
resource "aws_iam_user_policy" "bob" {
  name   = "own"
  user   = aws_iam_user.bob.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "EFFECT", Action = "ACTION", Resource = "*" }]
  })
}
"""


def bob(action: str, effect: str = "Allow") -> str:
    """Return a user with one statement."""
    return _USER.replace("EFFECT", effect).replace("ACTION", action)


_MFA = ', Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }'
_ROOT, _FOREIGN = f'{{ AWS = "arn:aws:iam::{ACCOUNT}:root" }}', f"arn:aws:iam::{OTHER}:root"


@pytest.mark.parametrize(
    ("source", "reader", "verdict"),
    [
        (trusted(f'{{ AWS = "{_FOREIGN}" }}'), _FOREIGN, VIOLATED),
        (trusted(f'{{ AWS = ["{_FOREIGN}"], Service = "ecs-tasks.amazonaws.com" }}'), _FOREIGN, VIOLATED),
        (trusted('"*"'), "everybody", VIOLATED),
        (trusted(f'{{ AWS = "{_FOREIGN}" }}', action="sts:*"), _FOREIGN, VIOLATED),
        (trusted(f'{{ AWS = "{_FOREIGN}" }}', _MFA), _FOREIGN, UNDETERMINED),
        (trusted("{ AWS = aws_iam_user.bob.arn }") + bob("s3:GetObject"), "aws_iam_user.bob", VIOLATED),
        (trusted(_ROOT) + bob("sts:AssumeRole"), "aws_iam_user.bob", VIOLATED),
        (trusted(f'{{ AWS = "{_FOREIGN}" }}', effect="Deny"), "", PROVEN),
        (trusted(f'{{ AWS = "{_FOREIGN}" }}', action="sts:TagSession"), "", PROVEN),
        (trusted('{ Service = "ecs-tasks.amazonaws.com" }') + bob("sts:AssumeRole"), "", PROVEN),
        (
            trusted('{ Federated = "cognito-identity.amazonaws.com" }', action="sts:AssumeRoleWithWebIdentity"),
            "",
            PROVEN,
        ),
        (trusted(_ROOT) + bob("s3:GetObject"), "", PROVEN),
        (trusted("{ AWS = aws_iam_user.bob.arn }") + bob("sts:AssumeRole", "Deny"), "", PROVEN),
    ],
)
def test_who_may_assume_a_role_that_reads_is_a_reader(
    source: str, reader: str, verdict: Verdict, tmp_path: Path
) -> None:
    """By the trust policy alone, or by the trust of the account and a policy of its own."""
    _, api = findings(tmp_path, BASE + source, **{"*": ["aws_iam_role.app", "aws_iam_role.reader"]})

    assert (verdict, reader) == (api.verdict, api.subject)


def test_a_foreign_account_that_may_assume_a_reader_is_too_many_without_a_list(tmp_path: Path) -> None:
    """The finding says by which role it reads."""
    _, api = findings(tmp_path, BASE + trusted(f'{{ AWS = "{_FOREIGN}" }}'))

    assert (VIOLATED, _FOREIGN) == (api.verdict, api.subject)
    assert api.reason.startswith("it may assume aws_iam_role.reader, which reads it: allowed by")
