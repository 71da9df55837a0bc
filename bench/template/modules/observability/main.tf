resource "aws_sns_topic" "alerts" {
  name              = "${var.prefix}-alerts"
  kms_master_key_id = "alias/aws/sns"

  tags = merge(var.tags, { Name = "${var.prefix}-alerts" })
}

resource "aws_cloudwatch_log_group" "service" {
  name              = "/ecs/${var.prefix}"
  retention_in_days = var.retention_days

  tags = merge(var.tags, { Name = "/ecs/${var.prefix}" })
}
