"""What the commands print on a terminal: the same words as in a pipe, in tables and colours, as wide as it is.

A command asks `console.is_terminal`, and `console.show_view` imports a view only then, so that nothing else has to
import rich.
"""
