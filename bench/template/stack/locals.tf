locals {
  app    = "@app@"
  prefix = "${var.environment}-${local.app}"

  common_tags = {
    Application = local.app
    CostCenter  = var.cost_center
    Environment = var.environment
    ManagedBy   = "terraform"
    Owner       = var.owner
  }
}

module "observability" {
  source = "../../modules/observability"

  prefix         = local.prefix
  retention_days = var.sizing.retention_days
  tags           = local.common_tags
}
