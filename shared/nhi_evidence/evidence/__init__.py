"""The locked store: keys, bodies and the trees over them. Pure; see docs/evidence-format.md."""
