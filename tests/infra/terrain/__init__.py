"""Google Cloud and Azure, synthesised to Terraform."""
