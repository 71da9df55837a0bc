resource "aws_cloudwatch_metric_alarm" "cpu_high" {
  alarm_name          = "${local.prefix}-cpu-high"
  alarm_description   = "CPUUtilization of ${local.app}"
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    ClusterName = aws_ecs_cluster.this.name
    ServiceName = aws_ecs_service.this.name
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-cpu-high"
  })
}

resource "aws_cloudwatch_metric_alarm" "memory_high" {
  alarm_name          = "${local.prefix}-memory-high"
  alarm_description   = "MemoryUtilization of ${local.app}"
  namespace           = "AWS/ECS"
  metric_name         = "MemoryUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    ClusterName = aws_ecs_cluster.this.name
    ServiceName = aws_ecs_service.this.name
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-memory-high"
  })
}

resource "aws_cloudwatch_metric_alarm" "tasks_low" {
  alarm_name          = "${local.prefix}-tasks-low"
  alarm_description   = "RunningTaskCount of ${local.app}"
  namespace           = "ECS/ContainerInsights"
  metric_name         = "RunningTaskCount"
  statistic           = "Average"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    ClusterName = aws_ecs_cluster.this.name
    ServiceName = aws_ecs_service.this.name
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-tasks-low"
  })
}

resource "aws_cloudwatch_metric_alarm" "database_cpu_high" {
  alarm_name          = "${local.prefix}-database-cpu-high"
  alarm_description   = "CPUUtilization of ${local.app}"
  namespace           = "AWS/RDS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    DBInstanceIdentifier = aws_db_instance.this.identifier
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-database-cpu-high"
  })
}

resource "aws_cloudwatch_metric_alarm" "database_storage_low" {
  alarm_name          = "${local.prefix}-database-storage-low"
  alarm_description   = "FreeStorageSpace of ${local.app}"
  namespace           = "AWS/RDS"
  metric_name         = "FreeStorageSpace"
  statistic           = "Average"
  comparison_operator = "LessThanThreshold"
  threshold           = 5368709120
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    DBInstanceIdentifier = aws_db_instance.this.identifier
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-database-storage-low"
  })
}

resource "aws_cloudwatch_metric_alarm" "database_connections_high" {
  alarm_name          = "${local.prefix}-database-connections-high"
  alarm_description   = "DatabaseConnections of ${local.app}"
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnections"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 200
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [module.observability.topic_arn]
  ok_actions          = [module.observability.topic_arn]

  dimensions = {
    DBInstanceIdentifier = aws_db_instance.this.identifier
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-database-connections-high"
  })
}
