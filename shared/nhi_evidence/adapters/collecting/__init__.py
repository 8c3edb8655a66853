"""Asking every account and cloud for its settings, as one function and without a secret."""
