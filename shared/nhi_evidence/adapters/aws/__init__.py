"""AWS: sessions, deliveries, queues, what the functions build once, account checks."""
