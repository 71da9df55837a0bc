"""What mends the source: changes of findings as patches, each with the proof that it mends and makes nothing worse."""
