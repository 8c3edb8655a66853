"""One suite per port, run on every implementation, the real server included."""
