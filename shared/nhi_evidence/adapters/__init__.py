"""Everything that touches the outside: stores, clouds, clock, environment."""
