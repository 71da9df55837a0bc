"""The risks of a plan's changes, one module per kind."""
