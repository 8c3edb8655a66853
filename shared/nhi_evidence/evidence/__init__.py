"""The locked store: keys, bodies and their Merkle trees. Pure; see docs/evidence-format.md."""
