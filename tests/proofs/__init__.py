"""Proofs of one record: made, checked by three checkers, and attacked."""
