"""A cloud on this machine: locked bucket, token issuer, object storage, function runtimes.

A stage for the demo and the tests. Never in a bundle.
"""
