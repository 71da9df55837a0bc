"""What a run has found: recorded, judged, put together as Results, and shown in the terminal."""
