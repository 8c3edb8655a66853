"""Canaries: harmless probes, announced before their hour and checked against arriving records."""
