"""Faults of policy documents: what certainly has no effect, what is refused, and what is wider than it should be."""
