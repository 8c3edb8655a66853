"""Statements of absence: nothing on record, and when it would have been. Never "no access"."""
