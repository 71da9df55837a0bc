"""What fixes the source: changes of findings as patches, each with the proof that it fixes and makes nothing worse."""
