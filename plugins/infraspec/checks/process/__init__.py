"""Playbooks, incident records, checklists, owners and workflows."""
