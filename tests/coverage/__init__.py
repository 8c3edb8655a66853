"""Coverage: verdicts from answers of documentation, and what must not be claimed."""
