"""Somebody else's repository: what can be read off it, and the contract that says so."""

from infraspec.adoption.contract_inference import Adoption, adopt

__all__ = ["Adoption", "adopt"]
