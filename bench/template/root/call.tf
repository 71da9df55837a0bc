module "@label@" {
  source = "./stacks/@app@"

  environment = var.environment
  account_id  = var.account_id
  region      = var.region
  network     = var.network
  sizing      = var.sizing
  owner       = "@owner@"
  cost_center = "@cost_center@"
}
