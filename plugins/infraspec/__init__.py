"""infraspec: a spec of the infrastructure, checked on source, on plans and on the live account."""

__version__ = "0.2.0"
