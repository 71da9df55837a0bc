"""The success figures of a period."""
