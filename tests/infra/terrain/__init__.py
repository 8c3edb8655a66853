"""Google Cloud and Azure, synthesized to Terraform."""
