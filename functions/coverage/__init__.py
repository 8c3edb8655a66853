"""AWS Lambda: scheduled readings of providers' settings, and the verdicts on them."""
