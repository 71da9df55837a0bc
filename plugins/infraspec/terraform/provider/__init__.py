"""What the AWS provider makes of a value, and what data sources would return."""
