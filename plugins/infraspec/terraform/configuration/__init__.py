"""Directories of source to module instances and resources."""
