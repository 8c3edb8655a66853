"""Making a canary's calls: each once and marked, noting whether it was refused as it should be."""
