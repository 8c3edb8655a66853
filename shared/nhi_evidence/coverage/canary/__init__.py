"""Canaries: harmless probes, announced before their hour, weighed by the records that arrive."""
