"""A case: what an investigation shows, with proofs, in one folder that any BagIt tool can check."""
