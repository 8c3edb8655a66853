"""Policies, trusts and settings that the AWS stacks write, as pure values.

The stacks are built from these, and the doctor compares them with what is deployed, so that each is
defined once.
"""
