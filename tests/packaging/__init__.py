"""What is built is what is meant, and runs."""
