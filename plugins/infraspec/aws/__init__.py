"""AWS itself: sessions, the read-only guard, and what it answered in this run."""
