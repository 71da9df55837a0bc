package bench

import rego.v1

name_attribute := {
	"aws_cloudwatch_log_group": "name",
	"aws_cloudwatch_metric_alarm": "alarm_name",
	"aws_db_instance": "identifier",
	"aws_ecs_cluster": "name",
	"aws_ecs_service": "name",
	"aws_ecs_task_definition": "family",
	"aws_iam_policy": "name",
	"aws_iam_role": "name",
	"aws_secretsmanager_secret": "name",
	"aws_sns_topic": "name",
}

name_pattern := `^(/ecs/)?(dev|staging|prod)[-/][a-z][a-z0-9]*(-[a-z0-9]+)*(/[a-z]+(_[a-z]+)*)?$`

required_tags := {"Application", "CostCenter", "Environment", "ManagedBy", "Owner"}

# One cluster a stack: how many stacks were looked at.
stacks contains change.address if {
	some change in input.resource_changes
	change.type == "aws_ecs_cluster"
}

violation contains ["names", change.address] if {
	some change in input.resource_changes
	attribute := name_attribute[change.type]
	not regex.match(name_pattern, change.change.after[attribute])
}

violation contains ["tags", change.address] if {
	some change in input.resource_changes
	count(required_tags - object.keys(change.change.after.tags)) > 0
}

listed(value) := value if is_array(value)

listed(value) := [value] if not is_array(value)

# What each execution role may do, by its name. One set, which is made once: a rule with the role as its key would be
# evaluated again for each role, which takes twice the time of the whole.
granted contains [role, action, resource] if {
	some change in input.resource_changes
	change.type == "aws_iam_role_policy"
	role := change.change.after.role
	some statement in listed(json.unmarshal(change.change.after.policy).Statement)
	statement.Effect == "Allow"
	some action in listed(statement.Action)
	some resource in listed(statement.Resource)
}

violation contains ["secret-access", change.address] if {
	some change in input.resource_changes
	change.type == "aws_ecs_task_definition"
	segments := split(change.change.after.execution_role_arn, "/")
	role := segments[count(segments) - 1]
	some container in json.unmarshal(change.change.after.container_definitions)
	some secret in container.secrets
	not [role, "secretsmanager:GetSecretValue", secret.valueFrom] in granted
}

violation contains ["log-access", change.address] if {
	some change in input.resource_changes
	change.type == "aws_ecs_task_definition"
	arn := split(change.change.after.execution_role_arn, ":")
	role := split(arn[5], "/")[1]
	some container in json.unmarshal(change.change.after.container_definitions)
	options := container.logConfiguration.options
	streams := sprintf("arn:aws:logs:%s:%s:log-group:%s:*", [options["awslogs-region"], arn[4], options["awslogs-group"]])
	not [role, "logs:PutLogEvents", streams] in granted
}

report := {"stacks": count(stacks), "violations": violation}
