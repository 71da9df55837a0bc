"""Databases: what RDS says of an instance, and the way to it through the network."""
