"""Names and tags."""
