"""Models to findings; pure; one module per rule, named as the rule."""
