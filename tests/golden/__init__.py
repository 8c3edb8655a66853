"""Texts that must not change unnoticed; made anew by `python -m tests.golden`."""
