"""`make deploy-gcp` and `make deploy-azure`, with stand-ins for the programs of other clouds."""
