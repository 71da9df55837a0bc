"""Pipelines of GitLab: what their files say, which jobs a change starts, and whether it can be merged without them."""
