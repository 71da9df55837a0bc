"""Plan, state and IAM snapshot files to models, and a plan completed by its source."""
