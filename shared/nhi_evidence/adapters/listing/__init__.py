"""Querying providers' APIs for what they recorded, over HTTPS and without a stored secret."""
