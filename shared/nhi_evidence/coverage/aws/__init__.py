"""Whether AWS records something: trails by their selectors, and what else has a switch."""
