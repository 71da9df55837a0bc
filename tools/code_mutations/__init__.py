"""Break the code at random, and see whether the nearest tests notice."""
