"""A seeded generator of three clouds' logs: one attack inside benign noise, crossing them all.

A leaked key does its work in AWS; then the stolen token of a CI job, which all three clouds trust,
does its work in each, and on the platforms beside them. Nothing here is real: accounts, addresses
and ids are the documentation's own. Same seed, same bytes.
"""

from nhi_evidence.demo.story.delivered import HubEvent, LogFile, azure_batches, gcp_files
from nhi_evidence.demo.story.files import TrailFile, agent_trail, bulk, generate
from nhi_evidence.demo.story.platforms import PlatformFile, platform_files
from nhi_evidence.demo.story.script import STEPS
from nhi_evidence.demo.story.step import Step

__all__ = [
    "STEPS",
    "HubEvent",
    "LogFile",
    "PlatformFile",
    "Step",
    "TrailFile",
    "agent_trail",
    "azure_batches",
    "bulk",
    "gcp_files",
    "generate",
    "platform_files",
]
