"""The configuration of the end-to-end deployment: the documented example, and who operates it."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "nhi-evidence.example.toml").read_text(encoding="utf-8")
OPERATIONS = """
[[auditors]]
name = "operations"
principals = ["arn:aws:iam::111122223333:role/operations"]
external_id = "operations-2026-5d81"
mfa = false
"""
SUBSCRIBER = """
[[subscribers]]
evidence = "main"
bucket = "nhi-evidence-siem-222233334444"
principals = ["arn:aws:iam::777788880000:role/siem"]
external_id = "siem-2026-c41d7a90e2"
"""
WATCHED = """
[coverage]
accounts = ["111122223333"]

[[canaries]]
evidence = "main"
accounts = ["111122223333"]
"""
COSIGNER = '# cosigner = "none"'
TEXT = EXAMPLE.replace(COSIGNER, COSIGNER.removeprefix("# ")) + OPERATIONS + SUBSCRIBER + WATCHED
"""The documented example, its operators, who may look at the evidence when they replay, a SIEM, and
the log archive as the account whose settings are read and that is probed.

The emulator's KMS makes no ML-DSA keys, so nothing is cosigned here.
"""
