"""Who is told of a run: channels, and metrics of CloudWatch."""
