"""Syntax tree, plan files and state files to one Plan model."""
