"""The pipeline: delivery -> records -> events -> evidence objects -> locked."""
