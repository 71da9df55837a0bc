"""How a team works: playbooks, incident records, checklists, code owners and workflows of a repository."""
