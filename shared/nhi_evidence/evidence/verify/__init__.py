"""Verification of a sealed store, step by step (docs/verification.md has the same numbers).

Offline but for the store itself: only the pinned public keys decide. It never stops at the first
finding, and states what it did not look at.
"""

from nhi_evidence.evidence.verify.chain import State
from nhi_evidence.evidence.verify.findings import CODES, Finding, Meaning, Severity
from nhi_evidence.evidence.verify.join import join
from nhi_evidence.evidence.verify.report import Options, Part, Policy, Report, policy_sha256
from nhi_evidence.evidence.verify.sorting import MemorySorter, Sorter
from nhi_evidence.evidence.verify.verifier import Verifier

__all__ = [
    "CODES",
    "Finding",
    "Meaning",
    "MemorySorter",
    "Options",
    "Part",
    "Policy",
    "Report",
    "Severity",
    "Sorter",
    "State",
    "Verifier",
    "join",
    "policy_sha256",
]
