"""What is in the account beside what the source says."""
