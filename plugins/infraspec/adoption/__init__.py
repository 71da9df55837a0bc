"""Somebody else's repository: what can be read off it, and the contract that says so."""

from infraspec.adoption.draft import Adoption, adopt

__all__ = ["Adoption", "adopt"]
