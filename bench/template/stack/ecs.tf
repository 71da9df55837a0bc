resource "aws_ecs_cluster" "this" {
  name = "${local.prefix}-cluster"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-cluster"
  })
}

resource "aws_ecs_task_definition" "this" {
  family                   = "${local.prefix}-task"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  # Every secret is injected by ECS; none of them stands in a plain environment variable.
  container_definitions = jsonencode([
    {
      name      = local.app
      image     = "${var.account_id}.dkr.ecr.${var.region}.amazonaws.com/${local.app}:stable"
      essential = true

      portMappings = [
        {
          containerPort = 8080
          protocol      = "tcp"
        }
      ]

      environment = [
        {
          name  = "STAGE"
          value = var.environment
        },
        {
          name  = "DATABASE_HOST"
          value = aws_db_instance.this.address
        }
      ]

      secrets = [
        {
          name      = "DATABASE_URL"
          valueFrom = aws_secretsmanager_secret.database_url.arn
        },
        {
          name      = "API_KEY"
          valueFrom = aws_secretsmanager_secret.api_key.arn
        },
        {
          name      = "SIGNING_KEY"
          valueFrom = aws_secretsmanager_secret.signing_key.arn
        },
        {
          name      = "WEBHOOK_TOKEN"
          valueFrom = aws_secretsmanager_secret.webhook_token.arn
        }
      ]

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = module.observability.log_group_name
          awslogs-region        = var.region
          awslogs-stream-prefix = local.app
        }
      }
    }
  ])

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-task"
  })
}

resource "aws_ecs_service" "this" {
  name                               = "${local.prefix}-service"
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = var.sizing.tasks
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [aws_security_group.service.id]
    assign_public_ip = false
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-service"
  })
}

resource "aws_appautoscaling_target" "service" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.this.name}"
  min_capacity       = var.sizing.tasks
  max_capacity       = var.sizing.tasks * 4

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-scaling"
  })
}

resource "aws_appautoscaling_policy" "cpu" {
  name               = "${local.prefix}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.service.service_namespace
  scalable_dimension = aws_appautoscaling_target.service.scalable_dimension
  resource_id        = aws_appautoscaling_target.service.resource_id

  target_tracking_scaling_policy_configuration {
    target_value = 60

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_security_group" "service" {
  name        = "${local.prefix}-service"
  description = "Tasks of ${local.prefix}"
  vpc_id      = var.network.vpc_id

  egress {
    description = "HTTPS to the APIs of AWS"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }

  egress {
    description = "PostgreSQL in the private network"
    from_port   = 5432
    to_port     = 5432
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-service"
  })
}
