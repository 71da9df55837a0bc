"""Decisions on requests, and why they are as they are."""
