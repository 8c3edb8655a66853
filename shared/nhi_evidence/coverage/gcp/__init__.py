"""Whether Google Cloud records something: audit configs up the tree, and sinks that export it."""
