"""AWS Lambda: harmless scheduled probes whose records show what is recorded."""
