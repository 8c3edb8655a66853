"""What people read: text made safe to show, and reports printed."""
