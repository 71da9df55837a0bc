"""Task definitions and the access they need."""
