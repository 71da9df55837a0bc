output "topic_arn" {
  description = "Topic that alarms are sent to."
  value       = aws_sns_topic.alerts.arn
}

output "log_group_name" {
  description = "Log group of the service."
  value       = aws_cloudwatch_log_group.service.name
}
