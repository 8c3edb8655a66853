"""Asking the providers' APIs what they recorded, over plain HTTPS and without a stored secret."""
