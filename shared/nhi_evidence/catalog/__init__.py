"""What an operation means: catalog tables, their rows and conditions, and the lookup."""
