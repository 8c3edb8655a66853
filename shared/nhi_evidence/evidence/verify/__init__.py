"""Verification of a sealed store, step by step (docs/verification.md has the same numbers).

Works offline, apart from reading the store; the pinned public keys are the only thing it trusts.
It does not stop at the first finding, and it states what it did not check.
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
