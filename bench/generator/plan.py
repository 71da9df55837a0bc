"""The plan of a tree as `terraform show -json` prints it, format 1.2.

Source: HashiCorp, "JSON Output Format".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.generator.source import read_template
from bench.generator.stacks import ACCOUNT, REGION, STAGE, VIOLATIONS, Stack

PROVIDER = "registry.terraform.io/hashicorp/aws"
_ENCODED = "$json"
_COMMON_TAGS = {
    "Application": "@app@",
    "CostCenter": "@cost_center@",
    "Environment": "@stage@",
    "ManagedBy": "terraform",
}
_SHARED = ("account_id", "environment", "network", "region", "sizing")
_VARIABLES = {
    "account_id": ACCOUNT,
    "environment": STAGE,
    "network": {
        "vpc_id": "vpc-0a1b2c3d4e5f60718",
        "subnet_ids": ["subnet-0aaaa1111bbbb2222", "subnet-0cccc3333dddd4444"],
    },
    "region": REGION,
    "sizing": {"instance_class": "db.r6g.large", "tasks": 4, "retention_days": 365, "multi_az": True},
}


@dataclass(frozen=True, slots=True)
class Template:
    """One resource or data source, `text` being its values, computed values and references as JSON.

    What is `computed` is known only after a first apply.
    """

    type: str
    name: str
    mode: str
    module: str
    sensitive: tuple[str, ...]
    text: str

    @property
    def address(self) -> str:
        """The address within the module."""
        return f"{'data.' if self.mode == 'data' else ''}{self.type}.{self.name}"


@dataclass(frozen=True, slots=True)
class Planned:
    """A template filled in for one stack."""

    template: Template
    address: str
    known: dict[str, Any]
    computed: dict[str, Any]
    references: dict[str, list[str]]


def plan_document(stacks: Sequence[Stack], *, first: bool) -> dict[str, Any]:
    """Return the plan; `first` is one that creates everything, otherwise a tag changes everywhere."""
    templates = list(_templates())
    modules, prior, changes, calls = [], [], [], {}
    for stack in stacks:
        planned = [_planned(stack, template) for template in templates]
        managed = [item for item in planned if item.template.mode == "managed"]
        modules.append(_module(stack, managed, first=first))
        prior.append(_module(stack, planned, first=False))
        changes += [_change(stack, item, first=first) for item in managed]
        calls[stack.label] = _call(stack, planned)
    document = {
        "format_version": "1.2",
        "terraform_version": "1.9.5",
        "variables": {name: {"value": value} for name, value in _VARIABLES.items()},
        "planned_values": {"root_module": {"child_modules": modules}},
        "resource_changes": changes,
        "prior_state": {
            "format_version": "1.0",
            "terraform_version": "1.9.5",
            "values": {"root_module": {"child_modules": prior}},
        },
        "configuration": _configuration(calls),
        "timestamp": "2024-06-01T00:00:00Z",
        "applyable": True,
        "complete": True,
        "errored": False,
    }
    if first:
        del document["prior_state"]
    return document


def _templates() -> Iterator[Template]:
    for entry in json.loads(read_template("resources.json")):
        if "tag" in entry:
            tags = {**_COMMON_TAGS, "Name": entry["tag"], "Owner": "@owner@"}
            entry["values"] |= {"tags": tags, "tags_all": {**tags, "Provisioner": "terraform"}}
        text = json.dumps([entry["values"], entry["computed"], entry["references"]])
        for each in entry.get("each", [{}]):
            yield Template(
                type=entry["type"],
                name=_substitute(entry["name"], each),
                mode=entry.get("mode", "managed"),
                module=entry.get("module", ""),
                sensitive=tuple(entry.get("sensitive", ())),
                text=_substitute(text, each),
            )


def _substitute(text: str, values: Mapping[str, str | int]) -> str:
    """Replace placeholders; a number takes the place of the quotes too."""
    for name, value in values.items():
        marker = f"@{name}@" if isinstance(value, str) else f'"@{name}@"'
        text = text.replace(marker, str(value))
    return text


def _planned(stack: Stack, template: Template) -> Planned:
    text = template.text
    for kind in stack.violations:
        violation = VIOLATIONS[kind]
        if violation.plan is not None and violation.planned == template.address:
            text = violation.plan.apply(text)
    known, computed, references = json.loads(stack.fill(text))
    address = f"{_module_address(stack, template.module)}.{template.address}"
    return Planned(template, address, _encoded(known), _encoded(computed), references)


def _encoded(values: dict[str, Any]) -> dict[str, Any]:
    """Turn what stands under `$json` into JSON text, as policies and container definitions are."""
    return {
        name: json.dumps(value[_ENCODED], separators=(",", ":"))
        if isinstance(value, dict) and _ENCODED in value
        else value
        for name, value in values.items()
    }


def _module_address(stack: Stack, module: str) -> str:
    return f"module.{stack.label}.module.{module}" if module else f"module.{stack.label}"


def _module(stack: Stack, planned: Sequence[Planned], *, first: bool) -> dict[str, Any]:
    def resources(module: str) -> list[dict[str, Any]]:
        return [_resource(item, first=first) for item in planned if item.template.module == module]

    nested = {"resources": resources("observability"), "address": _module_address(stack, "observability")}
    return {"resources": resources(""), "address": _module_address(stack, ""), "child_modules": [nested]}


def _values(item: Planned, *, first: bool) -> dict[str, Any]:
    return item.known if first else {**item.known, **item.computed}


def _identity(item: Planned) -> dict[str, Any]:
    return {
        "address": item.address,
        "mode": item.template.mode,
        "type": item.template.type,
        "name": item.template.name,
        "provider_name": PROVIDER,
    }


def _resource(item: Planned, *, first: bool) -> dict[str, Any]:
    values = _values(item, first=first)
    sensitive = _sensitivity(values, item.template)
    return {**_identity(item), "schema_version": 0, "values": values, "sensitive_values": sensitive}


def _sensitivity(values: Mapping[str, Any], template: Template) -> dict[str, Any]:
    """Repeat the shape of maps and lists, with `true` where a value is sensitive."""
    shape: dict[str, Any] = {}
    for name, value in values.items():
        if name in template.sensitive and value is not None:
            shape[name] = True
        elif isinstance(value, dict):
            shape[name] = {}
        elif isinstance(value, list):
            shape[name] = [{} if isinstance(item, dict) else False for item in value]
    return shape


def _change(stack: Stack, item: Planned, *, first: bool) -> dict[str, Any]:
    after = _values(item, first=first)
    before = None if first else _before(after)
    actions = ["create"] if first else ["no-op" if before is after else "update"]
    return {
        **_identity(item),
        "module_address": _module_address(stack, item.template.module),
        "change": {
            "actions": actions,
            "before": before,
            "after": after,
            "after_unknown": dict.fromkeys(item.computed, True) if first else {},
            "before_sensitive": False if before is None else _sensitivity(before, item.template),
            "after_sensitive": _sensitivity(after, item.template),
        },
    }


def _before(after: dict[str, Any]) -> dict[str, Any]:
    """Return what was there: without the tag that is new on everything that has tags."""
    if "tags" not in after:
        return after
    new = "ManagedBy"
    return after | {
        name: {key: value for key, value in after[name].items() if key != new} for name in ("tags", "tags_all")
    }


def _configuration(calls: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "provider_config": {
            "aws": {
                "name": "aws",
                "full_name": PROVIDER,
                "version_constraint": "~> 5.60",
                "expressions": {
                    "allowed_account_ids": {"references": ["var.account_id"]},
                    "default_tags": [{"tags": {"constant_value": {"Provisioner": "terraform"}}}],
                    "region": {"references": ["var.region"]},
                },
            }
        },
        "root_module": {"module_calls": calls, "variables": {name: {} for name in _SHARED}},
    }


def _call(stack: Stack, planned: Sequence[Planned]) -> dict[str, Any]:
    def resources(module: str) -> list[dict[str, Any]]:
        return [_configured(item) for item in planned if item.template.module == module]

    nested = {
        "source": "../../modules/observability",
        "expressions": {
            "prefix": {"references": ["local.prefix"]},
            "retention_days": {"references": ["var.sizing.retention_days", "var.sizing"]},
            "tags": {"references": ["local.common_tags"]},
        },
        "module": {
            "outputs": {
                "log_group_name": _output("aws_cloudwatch_log_group.service", "name"),
                "topic_arn": _output("aws_sns_topic.alerts", "arn"),
            },
            "resources": resources("observability"),
            "variables": {name: {} for name in ("prefix", "retention_days", "tags")},
        },
    }
    own = {"owner": stack.values["owner"], "cost_center": stack.values["cost_center"]}
    return {
        "source": f"./stacks/{stack.app}",
        "expressions": {name: {"references": [f"var.{name}"]} for name in _SHARED}
        | {name: {"constant_value": value} for name, value in own.items()},
        "module": {
            "outputs": {
                "database_endpoint": {"sensitive": True, **_output("aws_db_instance.this", "endpoint")},
                "service_name": _output("aws_ecs_service.this", "name"),
            },
            "resources": resources(""),
            "module_calls": {"observability": nested},
            "variables": {name: {} for name in (*_SHARED, *own)},
        },
    }


def _output(address: str, attribute: str) -> dict[str, Any]:
    return {"expression": {"references": [f"{address}.{attribute}", address]}}


def _configured(item: Planned) -> dict[str, Any]:
    """Return a resource of the configuration: references, and what is a plain constant."""
    template = item.template
    constants = {
        name: {"constant_value": value}
        for name, value in item.known.items()
        if template.mode == "managed" and isinstance(value, (str, int, float)) and value != ""
    }
    references = {name: {"references": names} for name, names in item.references.items()}
    return {
        "address": template.address,
        "mode": template.mode,
        "type": template.type,
        "name": template.name,
        "provider_config_key": "aws",
        "expressions": constants | references,
        "schema_version": 0,
    }
