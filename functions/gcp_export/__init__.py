"""Cloud Run function: CloudEvents of audit logs in, locked evidence out."""
