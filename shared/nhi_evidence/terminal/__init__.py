"""Output for people: text made safe to show, and printed reports."""
