"""Google Cloud: an organisation's audit logs, batched into files, handed to the exporter."""
