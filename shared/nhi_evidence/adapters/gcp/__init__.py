"""Google Cloud: events, objects, identities, listing, the exporter's surroundings."""
