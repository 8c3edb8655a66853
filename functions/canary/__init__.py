"""AWS Lambda: on a schedule, harmless probes whose records show what is recorded."""
