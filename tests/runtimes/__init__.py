"""The clouds' real function runtimes."""
