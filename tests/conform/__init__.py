"""Facts the design rests on, asked of a real store: `python -m tests.conform --help`."""
