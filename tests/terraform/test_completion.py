"""A plan or state completed by the source."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from infraspec.core.finding import Location
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown
from infraspec.terraform.language.values import SetValue
from infraspec.terraform.plan import Change, Plan, Refactoring, Resource, ValuesOnDemand
from infraspec.terraform.planfile.merge import complete, pair, value_at

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:reports-dev-db-a1B2c3"
SECRET_ARN = Unknown("aws_secretsmanager_secret.db.arn")


def resource(address: str, mode: str = "managed", **values: Any) -> Resource:
    """Return a resource of the root module."""
    type_, name = address.removeprefix("data.").partition("[")[0].split(".")
    return Resource(address, mode, type_, name, None, "", values, "aws", actions=("create",))


def sourced(address: str, mode: str = "managed", **values: Any) -> Resource:
    """Return a resource as the source has it: with provider and place, and without actions."""
    type_, name = address.removeprefix("data.").partition("[")[0].split(".")
    place = Location("main.tf", 7)
    return Resource(address, mode, type_, name, None, "", values, "aws.virginia", place, (), lambda _: place)


def completed(planned: Any, source: Any, *others: Resource) -> Any:
    """Return the value that a planned value has once the source's is known too."""
    plan = Plan("plan p", (resource("aws_x.y", a=planned), *others))
    return complete(plan, Plan("source s", (sourced("aws_x.y", a=source),))).by_address["aws_x.y"].get("a")


def here(path: str = "") -> Unknown:
    """Return what a plan puts where it knows nothing."""
    return Unknown(f"aws_x.y.a{path}")


@pytest.mark.parametrize("planned", [None, "p", 1, [], ["p"], {"k": "p"}, ""])
def test_a_known_planned_value_stands(planned: Any) -> None:
    """What the plan knows is not changed by the source."""
    for source in ("s", None, ["s"], {"k": "s"}, SECRET_ARN, JsonText({"a": SECRET_ARN})):
        assert planned == completed(planned, source)


def test_an_unknown_value_comes_from_the_source() -> None:
    """A whole attribute that the plan does not know has the source's structure."""
    policy = JsonText({"Statement": [{"Resource": SECRET_ARN}]})
    assert policy is not completed(here(), policy)
    assert policy.tree == decode_json(completed(here(), policy))
    assert completed(here(), "known") == "known"
    assert Text(("a-", SECRET_ARN)) == completed(here(), Text(("a-", SECRET_ARN)))


def test_an_unset_source_value_leaves_the_unknown() -> None:
    """A null in the source says that the provider computes the value."""
    assert here() == completed(here(), None)


def test_unknown_parts_come_from_the_source_in_place() -> None:
    """Only the unknown parts of a map or list are filled."""
    planned = {"k": "p", "u": here(".u"), "only": here(".only"), "list": [{"x": 1, "y": here(".list[0].y")}]}
    source = {"k": "s", "u": "su", "list": [{"x": 1, "y": "sy", "z": "sz"}], "more": 1}
    assert {"k": "p", "u": "su", "only": here(".only"), "list": [{"x": 1, "y": "sy"}]} == completed(planned, source)


def test_a_source_of_another_shape_fills_nothing() -> None:
    """Where plan and source differ in shape, the plan's value stays as it is."""
    for planned in ({"k": here(".k")}, [here("[0]")]):
        for source in ("s", ["a", "b"], None, 5):
            assert planned == completed(planned, source)


def test_a_sensitive_value_is_not_replaced() -> None:
    """Clear text of the source does not come in place of what terraform marks as sensitive, nor inside of it."""
    for source in ("clear", ["clear"], {"k": "clear"}, Text(("clear", SECRET_ARN))):
        assert isinstance(completed(Sensitive("aws_x.y.a"), source), Sensitive)
    assert isinstance(completed([Sensitive("x"), here("[1]")], ["clear", "s"])[0], Sensitive)


def test_a_sensitive_document_keeps_its_structure() -> None:
    """A document that terraform marks as a whole has the source's structure, in which the secrets are masked."""
    document = JsonText([{"name": "app", "environment": [{"value": Sensitive("var.token", "clear")}]}])
    tree = decode_json(completed(Sensitive("aws_x.y.a"), document))
    assert tree[0]["name"] == "app"
    assert isinstance(tree[0]["environment"][0]["value"], Sensitive)


def test_a_secret_of_the_type_table_stays_masked() -> None:
    """The value of a secret is not replaced by the source's JSON, and an unknown one not by clear text."""
    address = "aws_secretsmanager_secret_version.v"
    source = Plan("source s", (sourced(address, secret_string=JsonText({"user": "clear", "password": SECRET_ARN})),))
    for value in (Sensitive(f"{address}.secret_string"), Unknown(f"{address}.secret_string")):
        plan = complete(Plan("plan p", (resource(address, secret_string=value),)), source)
        assert isinstance(plan.resources[0].get("secret_string"), Sensitive)
        assert "clear" not in repr(plan.resources[0].values)


def test_unknowns_of_the_source_are_bound_to_what_the_plan_knows() -> None:
    """An ARN that exists already stands in the source's document, text, map, list and set."""
    secret = resource("aws_secretsmanager_secret.db", arn=ARN, id=Unknown("aws_secretsmanager_secret.db.id"))
    assert completed(here(), SECRET_ARN, secret) == ARN
    assert completed(here(), Text((SECRET_ARN, "-*")), secret) == f"{ARN}-*"
    assert completed(here(), JsonText({"Resource": [SECRET_ARN]}), secret) == f'{{"Resource":["{ARN}"]}}'
    assert completed(here(), {"k": [SECRET_ARN]}, secret) == {"k": [ARN]}
    bound = completed(here(), SetValue.of(["z", SECRET_ARN]), secret)
    assert (bound, type(bound)) == ([ARN, "z"], SetValue)


def test_unknowns_that_the_plan_does_not_know_stay() -> None:
    """An attribute that is unknown in the plan too, absent, or no resource's keeps its name."""
    other = Unknown("aws_secretsmanager_secret.db.id")
    secret = resource("aws_secretsmanager_secret.db", arn=ARN, id=other)
    for unknown in (other, Unknown("aws_secretsmanager_secret.db.none"), Unknown("var.x"), Unknown("uuid()")):
        assert unknown == completed(here(), unknown, secret)
    mixed = completed(here(), JsonText([SECRET_ARN, other]), secret)
    assert (isinstance(mixed, JsonText), mixed.tree) == (True, [ARN, other])


def test_a_secret_is_bound_as_a_secret() -> None:
    """What the plan knows but must not show is not put in clear into the source's value."""
    password = resource("random_password.p", result=Sensitive("random_password.p.result"))
    bound = completed(here(), {"k": Unknown("random_password.p.result")}, password)
    assert isinstance(bound["k"], Sensitive)


def test_a_number_is_bound_into_text_as_terraform_writes_it() -> None:
    """A number or bool inside text becomes text."""
    table = resource("aws_db_instance.d", port=5432, multi_az=True)
    source = Text(("x:", Unknown("aws_db_instance.d.port"), "/", Unknown("aws_db_instance.d.multi_az")))
    assert completed(here(), source, table) == "x:5432/true"


class Untouchable(Mapping[str, Any]):
    """Values that fail when one is asked for."""

    def __getitem__(self, key: str) -> Any:
        raise AssertionError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __contains__(self, key: object) -> bool:
        return True


def test_completion_is_lazy() -> None:
    """Joining reads no values, and the source's are not evaluated for what the plan knows."""
    address = "aws_x.y"
    lazy = Resource(address, "managed", "aws_x", "y", None, "", Untouchable())
    complete(Plan("plan p", (lazy,)), Plan("source s", (lazy,)))
    joined = complete(Plan("plan p", (resource(address, a="known"),)), Plan("source s", (lazy,)))
    assert joined.resources[0].get("a") == "known"


def test_a_value_is_completed_once() -> None:
    """The completed value is remembered; the values are a mapping like any other."""
    plan = complete(
        Plan("plan p", (resource("aws_x.y", a=here(), b=1),)), Plan("source s", (sourced("aws_x.y", a=["s"], c=1),))
    )
    values = plan.resources[0].values
    assert isinstance(values, ValuesOnDemand)
    assert values["a"] is values["a"]
    assert (dict(values), len(values), "c" in values) == ({"a": ["s"], "b": 1}, 2, False)
    assert pickle.loads(pickle.dumps(values)) == {"a": ["s"], "b": 1}  # noqa: S301 - its own pickle


def test_place_and_provider_come_from_the_source() -> None:
    """The resource keeps the plan's actions and has the source's location, locate and provider."""
    plan = complete(Plan("plan p", (resource("aws_x.y"),)), Plan("source s", (sourced("aws_x.y"),)))
    (joined,) = plan.resources
    assert (joined.location, joined.location_of("a"), joined.provider, joined.actions) == (
        Location("main.tf", 7),
        Location("main.tf", 7),
        "aws.virginia",
        ("create",),
    )
    assert plan.origin == "plan p, completed by source s"


def test_the_template_of_an_unknown_count_gives_the_place_alone() -> None:
    """Instances whose number the source cannot tell have their place from it, not values."""
    for mark in ("[?]", '["?"]'):
        template = sourced(f"aws_x.y{mark}", a="s")
        plan = complete(
            Plan("plan p", (resource("aws_x.y[0]", a=here()), resource("aws_x.y[1]"))), Plan("source s", (template,))
        )
        assert [Location("main.tf", 7)] * 2 == [r.location for r in plan.resources]
        assert here() == plan.resources[0].get("a")
        assert plan.diagnostics == ()


def test_resources_of_one_side_alone() -> None:
    """The plan says what exists; what only one of the two has is told, the first five by name."""
    planned = Plan("plan p", tuple(resource(f"aws_x.p{n}") for n in range(7)))
    source = Plan("source s", (sourced("aws_x.p0"), sourced("aws_x.s"), sourced("aws_x.t[?]")))
    plan = complete(planned, source)
    assert [r.address for r in planned.resources] == [r.address for r in plan.resources]
    assert (
        "2 resources are only in source s, not in plan p, and left out: aws_x.s, aws_x.t[?]",
        (
            "6 resources are only in plan p, not in source s, and not completed: "
            "aws_x.p1, aws_x.p2, aws_x.p3, aws_x.p4, aws_x.p5, …"
        ),
    ) == tuple(diagnostic.message for diagnostic in plan.diagnostics)
    assert {"make the plan or state anew from this source"} == {entry.remedy for entry in plan.diagnostics}


def test_data_sources_of_the_source_are_kept() -> None:
    """A policy document that the plan does not have comes from the source, bound to what the plan knows."""
    document = sourced("data.aws_iam_policy_document.d", "data", json=JsonText({"Resource": SECRET_ARN}))
    plan = complete(Plan("plan p", (resource("aws_secretsmanager_secret.db", arn=ARN),)), Plan("source s", (document,)))
    kept = plan.by_address["data.aws_iam_policy_document.d"]
    assert kept.get("json") == f'{{"Resource":"{ARN}"}}'
    assert (list(kept.values), len(kept.values), "json" in kept.values) == (["json"], 1, True)


def test_settings_and_outputs() -> None:
    """Account, region, outputs and the rest are the plan's where it knows them, else the source's."""
    planned = Plan(
        "plan p",
        (),
        outputs={"a": "p", "b": Unknown("output.b")},
        region="eu-west-1",
        regions={"aws": "eu-west-1", "aws.x": Unknown("provider.aws.x.region")},
        refactorings=(Refactoring("moved", "a", "b"), Refactoring("import", "i", "c")),
        changes=(Change("a", ("create",)),),
    )
    source = Plan(
        "source s",
        (),
        outputs={"a": "s", "b": "s"},
        account="111122223333",
        region="us-east-1",
        partition="aws-cn",
        regions={"aws": "us-east-1", "aws.x": "us-west-2"},
        refactorings=(Refactoring("moved", "a", "b", Location("main.tf", 1)),),
        module_calls=3,
    )
    plan = complete(planned, source)
    assert (plan.account, plan.region, plan.partition) == ("111122223333", "eu-west-1", "aws-cn")
    assert plan.outputs == {"a": "p", "b": "s"}
    assert plan.regions == {"aws": "eu-west-1", "aws.x": "us-west-2"}
    assert plan.refactorings == (*source.refactorings, planned.refactorings[1])
    assert (plan.module_calls, plan.changes) == (3, planned.changes)


U, V, W = Unknown("u"), Unknown("v"), Unknown("w")


@pytest.mark.parametrize(
    ("planned", "source", "expected"),
    [
        ([U, V], ["a", "b"], [0, 1]),
        (["a", U], ["a", V], [0, 1]),
        (["a", U], [V, "a"], [1, 0]),
        (["a", U], [V, W], None),
        ([U], ["a", "b"], None),
        ([{"k": "a", "v": U}, {"k": "b", "v": V}], [{"k": "b", "v": 2}, {"k": "a", "v": 1}], [1, 0]),
        ([{"k": "a", "v": U}, {"k": "a", "v": V}], [{"k": "a", "v": 1}, {"k": "a", "v": 2}], [0, 1]),
        ([{"k": "a", "l": U}, {"k": U, "l": "b"}], [{"k": V, "l": "b"}, {"k": "a", "l": W}], [1, 0]),
        ([{"k": "a", "l": U}, {"k": U, "l": "b"}], [{"k": V, "l": W}, {"k": V, "l": W}], None),
        (["a", U, {"k": V}, "b"], ["c", "b", {"k": 1}, "a"], [3, 0, 2, 1]),
        (["a", U], ["b", "c"], None),
        ([["a", U]], [["a", "b"]], [0]),
        ([["a", U]], [["a", "b", "c"]], None),
    ],
)
def test_pairing(planned: list[Any], source: list[Any], expected: list[int] | None) -> None:
    """Elements are paired by what is known of them, and not where that leaves a choice."""
    assert expected == pair(planned, source)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("arn", ["x"]),
        ("endpoint[0].url", ["u"]),
        ('tags["a.b"]', [1]),
        ("tags.c", [2]),
        ("endpoint[1].url", []),
        ("endpoint.url", []),
        ("arn.x", []),
        ("", [{"arn": "x", "endpoint": [{"url": "u"}], "tags": {"a.b": 1, "c": 2}}]),
        ("arn, 0)", []),
    ],
)
def test_value_at(path: str, expected: list[Any]) -> None:
    """A path is followed through attributes, indices and keys; a wrong one leads to nothing."""
    assert expected == list(value_at({"arn": "x", "endpoint": [{"url": "u"}], "tags": {"a.b": 1, "c": 2}}, path))
