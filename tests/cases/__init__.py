"""Golden cases: a raw record, and what must become of it."""
