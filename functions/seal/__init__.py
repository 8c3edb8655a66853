"""AWS Lambda: on a schedule, what is new in the evidence bucket into its signed log."""
