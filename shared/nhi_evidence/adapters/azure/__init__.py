"""Azure: the Event Hub trigger, managed identities, the exporter's surroundings."""
