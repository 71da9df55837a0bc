"""Changes that somebody makes out of band in a deployed infrastructure, and what the live suite says of each."""
