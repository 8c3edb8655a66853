"""Locked, verifiable audit evidence of what non-human identities did, across clouds."""

__version__ = "0.1.0"
