"""Azure and Entra: the tenant's logs through one Event Hub to the exporter."""
