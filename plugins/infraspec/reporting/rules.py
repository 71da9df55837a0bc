"""What each rule is about, for reports that explain themselves."""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """What a rule asks for, in one sentence, and the page of the documentation about it."""

    about: str
    page: str


_DESCRIPTIONS = {
    "source": Rule("Validation blocks hold, and no module was left out for want of its source.", "contract"),
    "names": Rule("Names follow the patterns of the contract by resource type.", "names-and-tags"),
    "tags": Rule("Resources have the tags that the contract requires.", "names-and-tags"),
    "tag-policy": Rule("Tags comply with the tag policy of AWS Organizations.", "names-and-tags"),
    "task-definitions": Rule("Task definitions are what ECS reads: references, roles and log configuration.", "access"),
    "secret-access": Rule("The roles of a task may read, pull, fetch and write what it needs to start.", "access"),
    "policies": Rule("Policy documents have effect and open nothing to everybody.", "policies"),
    "secret-readers": Rule("Nobody but whom the contract names may read a secret.", "policies"),
    "alarms": Rule("Every service, database and secret is watched, and each alarm reaches its people.", "alarms"),
    "plan-review": Rule("What a plan destroys, opens up or allows has an approval.", "plan-review"),
    "no-diff": Rule("A plan of what is deployed changes nothing.", "state-and-versions"),
    "state-backend": Rule("The state is remote, encrypted, locked, and no other environment's.", "state-and-versions"),
    "state-bucket": Rule("The bucket of the state keeps versions, is encrypted and private.", "state-and-versions"),
    "versions": Rule("Terraform, providers and modules are pinned.", "state-and-versions"),
    "consistency": Rule("The environments are made of the same modules and resources.", "state-and-versions"),
    "modules": Rule("No resource lies outside of a module.", "state-and-versions"),
    "playbooks": Rule("Every failure has a playbook.", "process"),
    "incidents": Rule("Every incident has a record.", "process"),
    "process": Rule("Changes have a checklist, owners, tests and a review.", "process"),
    "alarm-state": Rule("Alarms are in AWS as the source says, are evaluated, and are not noise.", "live-operations"),
    "alarm-delivery": Rule("What alarms and events send to a topic gets through to people.", "live-operations"),
    "rollout": Rule("Every service runs the revision that is meant, whole and healthy.", "live-services"),
    "stopped-tasks": Rule("No task has failed to start, or crashed, lately.", "live-services"),
    "next-start": Rule("What the next task start needs is still there.", "live-services"),
    "secret-chain": Rule("A task that starts now can read every value that its definition names.", "secret-chain"),
    "databases": Rule("Databases run, are backed up, have room, and services reach them.", "live-operations"),
    "log-groups": Rule("What keeps logs is in AWS what it has to be.", "live-operations"),
    "state-store": Rule("What keeps Terraform's state is in AWS what it has to be.", "live-operations"),
    "drift": Rule("What AWS has is what the source, or its state, says.", "live-operations"),
    "inventory": Rule("What belongs to an environment in AWS is in its source.", "live-operations"),
    "hosts": Rule("Machines have the tools and reach the places that they have to.", "live-operations"),
}


def described(rule: str) -> Rule:
    """Return what a rule is about; of a rule that infraspec does not have, that it is the repository's own."""
    return _DESCRIPTIONS.get(rule, Rule("A rule of this repository's own.", ""))
