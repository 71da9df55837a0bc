resource "aws_db_subnet_group" "this" {
  name       = "${local.prefix}-db"
  subnet_ids = var.network.subnet_ids

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-db"
  })
}

resource "aws_security_group" "database" {
  name        = "${local.prefix}-database"
  description = "Database of ${local.prefix}"
  vpc_id      = var.network.vpc_id

  ingress {
    description     = "PostgreSQL from the service"
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.service.id]
  }

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-database"
  })
}

resource "aws_db_instance" "this" {
  identifier                   = "${local.prefix}-db"
  engine                       = "postgres"
  engine_version               = "16.3"
  instance_class               = var.sizing.instance_class
  allocated_storage            = 50
  max_allocated_storage        = 200
  storage_encrypted            = true
  multi_az                     = var.sizing.multi_az
  db_name                      = "app"
  username                     = "app_admin"
  manage_master_user_password  = true
  db_subnet_group_name         = aws_db_subnet_group.this.name
  vpc_security_group_ids       = [aws_security_group.database.id]
  backup_retention_period      = var.environment == "prod" ? 35 : 7
  deletion_protection          = var.environment == "prod"
  skip_final_snapshot          = var.environment != "prod"
  auto_minor_version_upgrade   = true
  copy_tags_to_snapshot        = true
  performance_insights_enabled = true
  publicly_accessible          = false

  tags = merge(local.common_tags, {
    Name = "${local.prefix}-db"
  })
}
