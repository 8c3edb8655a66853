"""Whether everything the provider recorded is in the evidence: a verdict of its own."""
