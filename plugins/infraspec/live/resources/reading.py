"""Resources as the catalogue says that the account lists them, and that Terraform calls what AWS says of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.common.live_comparison import same
from infraspec.core.errors import AwsError, ResourceRefusalError, RunnerPermissionError
from infraspec.core.truth import Truth
from infraspec.core.unknown import AtRunTime, RefusedRead, Text, Unknown, Value, computed_from
from infraspec.live.resources.api_to_terraform import attributes_of, tag_map
from infraspec.live.resources.scope import LiveScope, refused
from infraspec.resource_types import TYPES
from infraspec.resource_types.listing import ApiCall, Blocks, Listing, at, snake
from infraspec.terraform.plan import Resource

Values = dict[str, Value]
Entry = Mapping[str, Any]
"""What AWS says of one resource."""
Tags = Mapping[str, str] | Unknown
NO_VALUES: Mapping[str, Value] = {}
LISTINGS: Mapping[str, Listing] = {name: one.listing for name, one in TYPES.items() if one.listing is not None}
"""How the account lists each type that it is asked for."""


class Peculiarity(Struct, frozen=True):
    """What no table says of a type.

    `values` adds to the attributes of an entry; it gives None for what Terraform has no resource of. `source` finds
    the resource of the source by the attributes, and by the resource that it is of, where its identity does not say.
    `used` gives the ARNs of those that belong because others use them.
    """

    values: Callable[[LiveScope, Entry, Values], Values | None] = lambda _scope, _entry, values: values
    source: Callable[[LiveScope, Values, Resource], Resource | None] = lambda _scope, _values, _owner: None
    used: Callable[[LiveScope], Collection[str]] = lambda _scope: ()


NOTHING = Peculiarity()


def listed(scope: LiveScope, type_: str, peculiarity: Peculiarity = NOTHING) -> Iterator[Resource]:
    """Yield the resources of a type that belong to the environment."""
    listing = LISTINGS[type_]
    if listing.is_named:
        for source in scope.sources.plan.managed(type_):
            if scope.sources.whereabouts.has(source) is not Truth.NO:
                yield from _named(scope, source, peculiarity)
        return
    if not listing.of:
        yield from listed_of(scope, type_, None, peculiarity, is_all=listing.is_shared)
    owners = [owner for owner in scope.seen(listing.of) if _is_known(listing.call, owner.values)] if listing.of else []
    _ahead(scope, listing, listing.call, [owner.values for owner in owners])
    for owner in owners:
        yield from listed_of(scope, type_, owner, peculiarity)


def _is_known(call: ApiCall | None, owner: Mapping[str, Value]) -> bool:
    """Tell whether all is known that a call names of what something is of."""
    return call is None or not any(isinstance(one, Unknown) for one in _arguments(call, owner).values())


def _ahead(scope: LiveScope, listing: Listing, call: ApiCall | None, each: Iterable[Mapping[str, Value]]) -> None:
    """Prepare a call for each of many attributes."""
    if call is not None:
        is_one = listing.is_policy or listing.is_setting
        is_paged = call.is_paged or (call is listing.call and not is_one)
        known = (values for values in each if values.keys() >= set(call.arguments.values()) and _is_known(call, values))
        parameters = [{**_arguments(call, values), **call.parameters} for values in known]
        key = call.key if is_paged else ""
        scope.calls.ahead(listing.service, snake(call.operation), parameters, key, absent=call.absent)


def _named(scope: LiveScope, source: Resource, peculiarity: Peculiarity) -> Iterator[Resource]:
    """Yield what AWS has of a resource of the source; one of which nothing is known where nothing tells it apart.

    What is left out of the question, as it is not wholly known, is compared with the answer.
    """
    type_, listing = source.type, LISTINGS[source.type]
    if (call := listing.call) is None:
        return
    given = {path.removesuffix("?"): _told(scope, source, path) for path in call.arguments.values()}
    open_ = [given[path] for path in call.arguments.values() if path[-1] != "?" and not isinstance(given[path], str)]
    if open_:
        yield hidden(source, lambda name: unknown_of(source, name, open_[0]))
        return
    parameters = {name: given[path.removesuffix("?")] for name, path in call.arguments.items()}
    known = {name: value for name, value in parameters.items() if isinstance(value, str)}
    try:
        found = _answers(scope, listing, call, known)
    except RunnerPermissionError as error:
        scope.refused.setdefault(type_, error)
        return
    read = [(one, values_of(scope, type_, one, given=given)) for one in found]
    fitting = [one for one, values in read if _fits(values, given) and _has_name(source, values, given)]
    if len(fitting) > 1:
        which = f"which {type_} of {len(fitting)} is {source.address}"
        several = Unknown(which, AtRunTime(which))
        yield hidden(source, lambda name: unknown_of(source, name, several))
        return
    for entry in fitting:
        told = {name: value for name, value in given.items() if isinstance(value, str)}
        tags = _tags(scope, type_, fitting)(entry, str(values_of(scope, type_, entry, given=told).get("arn")))
        yield from _resource(scope, type_, entry, None, tags, peculiarity, source, told)


def unknown_of(source: Resource, name: str, open_: Value) -> Unknown:
    """Return an attribute of a resource that cannot be asked for, as something that tells it apart is not known."""
    return Unknown(f"{name} of {source.address}", computed_from(open_))


def _told(scope: LiveScope, source: Resource, path: str) -> Value:
    """Return what the source says of an attribute that a resource is asked for by; None if it may leave it out."""
    attribute, aws = path.removesuffix("?"), scope.sources.attributes
    if attribute == TYPES[source.type].name:
        return aws.name(source, attribute)
    if source.stated(attribute) in (None, source.reference(attribute)):
        default = LISTINGS[source.type].defaults.get(attribute)
        return default if default or path[-1] == "?" else aws.narrow(source.reference(attribute))
    return aws.narrow(source.attribute(attribute))


def _answers(scope: LiveScope, listing: Listing, call: ApiCall, known: Mapping[str, Any]) -> Sequence[Entry]:
    """Return what AWS says of what is named: the newest where it keeps older ones too."""
    given = {name.removesuffix("[]"): [value] if name.endswith("[]") else value for name, value in known.items()}
    operation, parameters = snake(call.operation), {**given, **call.parameters}
    if not call.is_paged:
        found = scope.calls.ask(listing.service, operation, absent=call.absent, **parameters)
        if found is not None and not at(found, call.key):
            place = f"{listing.service}.{operation} in {scope.calls.region}"
            raise AwsError("AWS answered with nothing", place=place, remedy="run it again")
        return [] if found is None else [at(found, call.key)]
    entries = scope.calls.pages(listing.service, operation, call.key, absent=call.absent, **parameters)
    return [max(entries, key=lambda one: one["revision"])] if entries and "revision" in entries[0] else entries


def _fits(values: Values, given: Mapping[str, Value]) -> bool:
    """Tell whether an answer may be about what was asked for with less than the source says."""
    open_ = {name: value for name, value in given.items() if isinstance(value, Unknown | Text)}
    return all(same(value, values[name]) is not Truth.NO for name, value in open_.items() if name in values)


def _has_name(source: Resource, values: Values, given: Mapping[str, Value]) -> bool:
    """Tell whether an answer has the name that was asked for, and not one that begins with it."""
    name = TYPES[source.type].name
    return not isinstance(given.get(name), str) or values.get(name) == given[name]


def unseen(scope: LiveScope, type_: str, error: RunnerPermissionError) -> tuple[Resource, ...]:
    """Return the resources of a type that the source has here, of which nothing is known: nobody may look at them."""
    sources = [one for one in scope.sources.plan.managed(type_) if scope.sources.is_here(one)]
    return tuple(
        hidden(source, lambda name, source=source: refused(f"{name} of {source.address}", error))  # type: ignore[misc]
        for source in sources
    )


def hidden(source: Resource, unknown: Callable[[str], Unknown]) -> Resource:
    """Return a resource of the source of which nothing is known."""
    listing = LISTINGS[source.type]
    names = ("arn", "id", "tags", "tags_all", *listing.attributes, *listing.observed, *source.values)
    return replace(source, values={name: unknown(name) for name in names}, actions=(), ignore_changes=())


def listed_of(
    scope: LiveScope, type_: str, owner: Resource | None, peculiarity: Peculiarity, *, is_all: bool = True
) -> Iterator[Resource]:
    """Yield the resources of a type that are of another one, or of the account: all, or those that belong."""
    used, listing = peculiarity.used(scope), LISTINGS[type_]
    found = entries(scope, type_, owner.values if owner else {})
    tags_of = _tags(scope, type_, found)
    meant: list[tuple[Entry, Values, Tags]] = []
    for entry in found:
        values = values_of(scope, type_, entry, owner)
        tags = tags_of(entry, str(values.get("arn")))
        if is_all or values.get("arn") in used or scope.belongs(type_, values, tags):
            meant.append((entry, values, tags))
    for call in (*listing.details, listing.tags_call):
        _ahead(scope, listing, call, [values for _, values, _ in meant])
    for entry, _, tags in meant:
        yield from _resource(scope, type_, entry, owner, tags, peculiarity)


def _resource(  # noqa: PLR0917 - what is known of one
    scope: LiveScope,
    type_: str,
    entry: Entry,
    owner: Resource | None,
    tags: Tags,
    peculiarity: Peculiarity,
    source: Resource | None = None,
    given: Mapping[str, Value] = NO_VALUES,
) -> Iterator[Resource]:
    listing, values = LISTINGS[type_], values_of(scope, type_, entry, owner, given)
    unseen: Values = {}
    for detail in listing.details:
        entry, refusals = _detailed(scope, type_, entry, values, detail)
        unseen |= refusals
    values = {**values_of(scope, type_, entry, owner, given), **unseen}
    if listing.tags_call is not None:
        shown = shown_of(scope, listing.service, listing.tags_call, values, f"the tags of {values['arn']}")
        tags = shown if isinstance(shown, Unknown) else tag_map(shown)
    whole = peculiarity.values(scope, entry, values)
    if whole is not None:
        source = peculiarity.source(scope, whole, owner) if owner else source
        address = listing.address.format_map({**scope.place, **whole, "owner": owner.stated("arn") if owner else ""})
        yield scope.resource(type_, whole, address=address, tags=tags if listing.has_tags else None, source=source)


def entries(scope: LiveScope, type_: str, owner: Mapping[str, Value]) -> Sequence[Entry]:
    """Return what AWS says of each resource of a type; `owner` has the attributes of that which they are of."""
    listing = LISTINGS[type_]
    call, batch = listing.call, listing.describe
    if call is None:
        return ()
    arguments = _arguments(call, owner)
    if listing.is_policy:
        policy = shown_of(scope, listing.service, call, owner, f"the policy of {owner['arn']}")
        return [{"policy": policy}] if policy else []
    if listing.is_setting:
        return _setting(scope, type_, listing.service, call, owner)
    operation = snake(call.operation)
    try:
        found: Sequence[Any] = scope.calls.pages(
            listing.service, operation, call.key, absent=call.absent, **arguments, **call.parameters
        )
    except RunnerPermissionError as error:
        if batch is None:
            raise
        scope.refused.setdefault(type_, error)
        found = [identity[-1] for identity in scope.sources.names(type_)]
    if batch is not None:
        found = scope.calls.batches(listing.service, batch, found, **arguments)
    each = ({call.key: one} if isinstance(one, str) else one for one in found)
    return [entry for entry in each if _is_meant(entry, listing)]


def _setting(scope: LiveScope, type_: str, service: str, call: ApiCall, owner: Mapping[str, Value]) -> Sequence[Entry]:
    """Return the one that a resource has, if it has one; where nobody may look, those of the source are not known."""
    try:
        found = _detail(scope, service, call, owner)
    except RunnerPermissionError as error:
        scope.refused.setdefault(type_, error)
        return []
    return [] if found is None else [found]


def _detailed(scope: LiveScope, type_: str, entry: Entry, values: Values, detail: ApiCall) -> tuple[Entry, Values]:
    """Return an entry with a detail, and what is not known where the runner may not look at that."""
    listing = LISTINGS[type_]
    try:
        return {**entry, detail.key: _detail(scope, listing.service, detail, values)}, {}
    except RunnerPermissionError as error:
        where = {**listing.attributes, **listing.observed}
        names = [name for name, path in where.items() if _first_step(path) == detail.key]
        return entry, {name: refused(f"{name} of {values.get('arn')}", error) for name in names}


def _first_step(where: str | Blocks) -> str:
    path = where if isinstance(where, str) else where.path
    return path.partition(".")[0].removesuffix("?")


def values_of(
    scope: LiveScope, type_: str, entry: Entry, owner: Resource | None = None, given: Mapping[str, Value] = NO_VALUES
) -> Values:
    """Return the attributes that the table makes of an entry; `given` are those by which it was asked for."""
    listing = LISTINGS[type_]
    owned = {name: owner.stated(attribute) for name, attribute in listing.owned.items()} if owner else {}
    values = {**listing.defaults, **given, **owned, **attributes_of(entry, {**listing.attributes, **listing.observed})}
    kind = TYPES[type_]
    arn = listing.arn or kind.assigned.get("arn", "")
    if arn and "arn" not in listing.attributes:
        values["arn"] = arn.format_map({**scope.place, "name": values.get(kind.name), **values})
    return values


def _is_meant(entry: Entry, listing: Listing) -> bool:
    is_chosen = all(at(entry, path) in (None, *values) for path, values in listing.only.items())
    return is_chosen and not any(at(entry, path) in values for path, values in listing.unless.items())


def _tags(scope: LiveScope, type_: str, found: Sequence[Entry]) -> Callable[[Entry, str], Tags]:
    """Return what says the tags by an entry and its ARN."""
    listing = LISTINGS[type_]
    if not listing.has_tags:
        return lambda _entry, _arn: {}
    if listing.tags:
        return lambda entry, _arn: tag_map(at(entry, listing.tags))
    if listing.tags_batch is None:
        return lambda _entry, arn: scope.tags_of(arn)
    batch = listing.tags_batch
    alike = [name for name, one in LISTINGS.items() if one.tags_batch == batch and not one.of]
    asked = {type_: found}
    for name in () if listing.of else alike:
        with suppress(RunnerPermissionError):  # whoever asks for that type is told
            asked[name] = entries(scope, name, {})
    arns = [str(values_of(scope, name, entry)["arn"]) for name, listed in asked.items() for entry in listed]
    try:
        answers = scope.calls.batches(listing.service, batch, arns)
    except RunnerPermissionError as error:
        return lambda _entry, arn, error=error: refused(f"the tags of {arn}", error)  # type: ignore[misc]
    tagged = {one["ResourceArn"]: tag_map(one.get("Tags")) for one in answers}
    return lambda _entry, arn: tagged.get(arn, {})


def _arguments(call: ApiCall, values: Mapping[str, Value]) -> dict[str, Any]:
    return {name: values[attribute] for name, attribute in call.arguments.items()}


def _detail(scope: LiveScope, service: str, call: ApiCall, values: Mapping[str, Value]) -> Any:
    parameters, operation = {**_arguments(call, values), **call.parameters}, snake(call.operation)
    if call.is_paged:
        return scope.calls.pages(service, operation, call.key, absent=call.absent, **parameters)
    found = at(scope.calls.ask(service, operation, absent=call.absent, **parameters), call.key)
    return _paired(found) if call.is_paired else found


def _paired(pairs: Iterable[Mapping[str, str]] | None) -> dict[str, Any]:
    """Return pairs of Key and Value as a tree: `access_logs.s3.bucket` is in `access_logs`, in `s3`."""
    tree: dict[str, Any] = {}
    for pair in pairs or ():
        *steps, last = pair["Key"].split(".")
        there = tree
        for step in steps:
            there = there.setdefault(step, {})
        there[last] = pair.get("Value")
    return tree


def shown_of(scope: LiveScope, service: str, call: ApiCall, values: Mapping[str, Value], what: str) -> Any:
    """Return what an answer has, None if there is nothing, Unknown if the runner may not look at it."""
    try:
        return _detail(scope, service, call, values)
    except ResourceRefusalError as error:
        return Unknown(f"{what}, which denies the runner,", RefusedRead(error.remedy))
    except RunnerPermissionError as error:
        return refused(what, error)
