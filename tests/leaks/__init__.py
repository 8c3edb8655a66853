"""What must never be locked, as logs carry it, and that it is not."""
