"""infraspec: a spec of the infrastructure, checked on source, on plans and on the live account."""

from infraspec.moved import install

__version__ = "0.2.0"

install()
