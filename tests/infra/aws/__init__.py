"""What the AWS stacks say, evaluated: synthesised once, asked about properties."""
