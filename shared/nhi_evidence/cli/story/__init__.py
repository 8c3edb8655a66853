"""A seeded generator of CloudTrail files: one attack inside benign noise, over four accounts.

Nothing here is real: accounts, addresses and key ids are the documentation's own. Same seed, same
bytes.
"""

from nhi_evidence.cli.story.files import TrailFile, bulk, generate
from nhi_evidence.cli.story.script import STEPS, Step

__all__ = ["STEPS", "Step", "TrailFile", "bulk", "generate"]
