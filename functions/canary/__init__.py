"""AWS Lambda: on a schedule, what providers say of their settings, and what that comes to."""
