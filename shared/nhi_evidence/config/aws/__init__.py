"""What the AWS stacks write of policies, trusts and settings, as pure values.

The stacks are made of these, and the doctor holds them against what is deployed, so that there is
one text of each.
"""
