"""The sealing protocol under every interleaving, crash and adversary a tape of choices can draw."""
