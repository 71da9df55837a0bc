"""A real Terraform asked for the values of expressions."""
