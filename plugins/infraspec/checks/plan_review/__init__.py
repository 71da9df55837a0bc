"""What a plan destroys, opens up or allows."""
