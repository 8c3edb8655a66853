"""Whether AWS records something: trails, judged by their selectors, and other switches."""
