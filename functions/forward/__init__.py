"""AWS Lambda: from each new evidence object to OCSF lines a SIEM takes."""
