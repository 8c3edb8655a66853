"""Completeness: what a source states it delivered, against what is counted."""
