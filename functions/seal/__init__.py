"""AWS Lambda: seals what is new in the evidence bucket into its signed log, on a schedule."""
