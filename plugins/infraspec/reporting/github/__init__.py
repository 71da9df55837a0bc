"""A run on GitHub: comment, annotations, code scanning."""
