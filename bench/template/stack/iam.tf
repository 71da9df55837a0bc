data "aws_iam_policy_document" "assume_by_tasks" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

# What ECS needs to start a task: the image, the secrets and the logs.
resource "aws_iam_role" "execution" {
  name               = "${local.prefix}-execution"
  assume_role_policy = data.aws_iam_policy_document.assume_by_tasks.json

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-execution"
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "${local.prefix}-execution"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = "arn:aws:ecr:${var.region}:${var.account_id}:repository/${local.app}"
      },
      {
        Sid    = "ReadSecrets"
        Effect = "Allow"
        Action = ["secretsmanager:GetSecretValue"]
        Resource = [
          aws_secretsmanager_secret.database_url.arn,
          aws_secretsmanager_secret.api_key.arn,
          aws_secretsmanager_secret.signing_key.arn,
          aws_secretsmanager_secret.webhook_token.arn,
        ]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/ecs/${local.prefix}:*"
      }
    ]
  })
}

data "aws_iam_policy_document" "task" {
  statement {
    sid       = "Data"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["arn:aws:s3:::${local.prefix}-data/*"]
  }
}

# What the application itself may do.
resource "aws_iam_role" "task" {
  name               = "${local.prefix}-task"
  assume_role_policy = data.aws_iam_policy_document.assume_by_tasks.json

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-task"
  })
}

resource "aws_iam_policy" "task" {
  name   = "${local.prefix}-task"
  policy = data.aws_iam_policy_document.task.json

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-task"
  })
}

resource "aws_iam_role_policy_attachment" "task" {
  role       = aws_iam_role.task.name
  policy_arn = aws_iam_policy.task.arn
}
