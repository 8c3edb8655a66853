"""AWS Lambda: turns each new evidence object into OCSF lines for a SIEM."""
