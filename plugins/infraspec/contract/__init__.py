"""infraspec.toml: the specification of an infrastructure repository."""
