"""Whether Google Cloud records something: audit configurations up the tree, and sinks to us."""
