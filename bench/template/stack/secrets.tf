resource "aws_secretsmanager_secret" "database_url" {
  name                    = "${var.environment}/${local.app}/database_url"
  description             = "database url of ${local.app}"
  recovery_window_in_days = var.environment == "prod" ? 30 : 0

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-database-url"
  })
}

# The value is set by hand after the first apply.
resource "aws_secretsmanager_secret_version" "database_url" {
  secret_id     = aws_secretsmanager_secret.database_url.id
  secret_string = "unset"

  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "aws_secretsmanager_secret" "api_key" {
  name                    = "${var.environment}/${local.app}/api_key"
  description             = "api key of ${local.app}"
  recovery_window_in_days = var.environment == "prod" ? 30 : 0

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-api-key"
  })
}

# The value is set by hand after the first apply.
resource "aws_secretsmanager_secret_version" "api_key" {
  secret_id     = aws_secretsmanager_secret.api_key.id
  secret_string = "unset"

  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "aws_secretsmanager_secret" "signing_key" {
  name                    = "${var.environment}/${local.app}/signing_key"
  description             = "signing key of ${local.app}"
  recovery_window_in_days = var.environment == "prod" ? 30 : 0

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-signing-key"
  })
}

# The value is set by hand after the first apply.
resource "aws_secretsmanager_secret_version" "signing_key" {
  secret_id     = aws_secretsmanager_secret.signing_key.id
  secret_string = "unset"

  lifecycle {
    ignore_changes = [secret_string]
  }
}

resource "aws_secretsmanager_secret" "webhook_token" {
  name                    = "${var.environment}/${local.app}/webhook_token"
  description             = "webhook token of ${local.app}"
  recovery_window_in_days = var.environment == "prod" ? 30 : 0

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-webhook-token"
  })
}

# The value is set by hand after the first apply.
resource "aws_secretsmanager_secret_version" "webhook_token" {
  secret_id     = aws_secretsmanager_secret.webhook_token.id
  secret_string = "unset"

  lifecycle {
    ignore_changes = [secret_string]
  }
}
