"""HCL text to a syntax tree; knows no Terraform."""
