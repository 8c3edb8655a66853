"""Whether everything the provider recorded is in the evidence: a verdict apart from integrity."""
