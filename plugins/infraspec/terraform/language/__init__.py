"""Expressions of the Terraform language, compiled and evaluated."""
