"""Whether everything is watched, and every alarm reaches a person."""
