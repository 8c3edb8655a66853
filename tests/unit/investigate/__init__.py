"""What an investigation makes of rows: chains of credentials, sequences, stages."""
