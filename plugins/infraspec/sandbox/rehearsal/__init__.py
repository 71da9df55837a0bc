"""Playbooks, rehearsed: a failure made in the sandbox, and the commands of its page until the service is healthy."""
