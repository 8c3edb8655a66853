"""Making a canary's calls: each once, marked, and seen whether it was refused as it should be."""
