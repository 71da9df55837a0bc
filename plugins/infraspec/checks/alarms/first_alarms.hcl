resource "aws_iam_role" "alert_chat" {
  name = "PREFIX-alert-chat"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "chatbot.amazonaws.com" }
    }]
  })
}

resource "aws_chatbot_slack_channel_configuration" "alerts" {
  configuration_name = "PREFIX-alerts"
  iam_role_arn       = aws_iam_role.alert_chat.arn
  slack_team_id      = var.alert_chat.team_id
  slack_channel_id   = var.alert_chat.channel_id
  sns_topic_arns     = [TOPICS]
}

variable "alert_chat" {
  type = object({ team_id = string, channel_id = string })
}

resource "aws_cloudwatch_log_group" "events" {
  name              = "/aws/events/PREFIX"
  retention_in_days = 90
}

resource "aws_cloudwatch_log_resource_policy" "events" {
  policy_name = "PREFIX-events"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = "${aws_cloudwatch_log_group.events.arn}:*"
      Principal = { Service = ["delivery.logs.amazonaws.com", "events.amazonaws.com"] }
    }]
  })
}

resource "aws_cloudwatch_event_rule" "events" {
  for_each = {
    tasks       = { source = ["aws.ecs"], "detail-type" = ["ECS Task State Change"] }
    deployments = { source = ["aws.ecs"], "detail-type" = ["ECS Deployment State Change"] }
    secrets = {
      source        = ["aws.secretsmanager"]
      "detail-type" = ["AWS API Call via CloudTrail"]
      detail        = { eventName = ["GetSecretValue"] }
    }
  }

  name          = "PREFIX-${each.key}"
  event_pattern = jsonencode(each.value)
  state         = each.key == "secrets" ? "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" : "ENABLED"
}

resource "aws_cloudwatch_event_target" "events" {
  for_each = aws_cloudwatch_event_rule.events

  rule = each.value.name
  arn  = aws_cloudwatch_log_group.events.arn
}
