"""Mutants of the core: small wrong changes of the code, each of which a test must notice.

`python -m tests.mutants` makes them all; `targets.toml` says of which files and which tests have
to notice, `survivors.toml` which may live, and why.
"""
