"""What several rules ask of a plan: roles, owners of ARNs, remedies, comparison with AWS."""
