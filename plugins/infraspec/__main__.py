"""`python -m infraspec`: the command line."""

from infraspec.cli import main

main(prog_name="infraspec")
