"""Tests, by what they prove; each one's docstring states the claim."""
