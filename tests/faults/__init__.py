"""Every store call lost or persisted-but-failed; redelivery restores the fault-free bucket."""
