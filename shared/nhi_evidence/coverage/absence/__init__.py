"""Statements of absence: none on record, and when it would have been. Never "no access"."""
