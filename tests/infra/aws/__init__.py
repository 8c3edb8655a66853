"""What the AWS stacks say, evaluated: synthesized once, asked about properties."""
