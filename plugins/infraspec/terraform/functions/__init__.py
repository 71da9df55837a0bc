"""The functions of the Terraform language."""
