"""The deployables, one folder each; never installed."""
