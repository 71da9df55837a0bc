"""ECS services as they run, and the next start of their tasks."""
