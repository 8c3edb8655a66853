"""The documents agree with the program."""
