"""Properties over generated input; each quotes the sentence it checks."""
