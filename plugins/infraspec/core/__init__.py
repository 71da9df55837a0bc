"""What every part of infraspec speaks of; it knows none of them."""
