"""AWS Lambda: S3 notifications over SQS in, locked evidence out."""
