"""Delivery -> records -> events -> evidence objects -> locked."""
