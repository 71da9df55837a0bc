"""What rules of the live suite ask of AWS beside the resources: states, deployments, readings."""
