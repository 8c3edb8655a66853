"""Keys that sign the log, and who else speaks of its checkpoints."""
