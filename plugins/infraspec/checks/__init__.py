"""Models to findings; pure; one module per rule family."""
