"""Which operation means what: tables, their rows and conditions, and the lookup."""
