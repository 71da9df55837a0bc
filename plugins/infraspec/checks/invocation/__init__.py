"""What calls, publishes and sends to what, and whether the policy there lets it."""
