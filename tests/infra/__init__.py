"""What is deployed, before it is deployed."""
