"""Naming patterns, required tags, tag policies."""
