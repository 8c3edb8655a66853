"""A sealed store, everything that can be done to it, and exactly what verification finds."""
