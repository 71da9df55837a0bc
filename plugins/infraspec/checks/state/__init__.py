"""The state's backend, versions, and how environments are made."""
