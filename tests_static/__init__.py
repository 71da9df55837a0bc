"""The static suite: from Terraform source to a verdict."""
