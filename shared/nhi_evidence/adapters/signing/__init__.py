"""Keys that sign the log, and outside parties that attest its checkpoints."""
