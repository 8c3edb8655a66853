"""Production's stacks and those of the end-to-end profile: `python -m tests.e2e.synthesized OUT`.

A program of its own, because jsii may be started once in a process.
"""

from __future__ import annotations

import sys
from pathlib import Path

from infra.aws.application import compose  # first: it chooses the Node that jsii runs on

import aws_cdk as cdk  # isort: skip

from infra.bundle import PLATFORMS, Bundle, stage
from nhi_evidence import config
from tests.e2e import profile

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "nhi-evidence.example.toml").read_text(encoding="utf-8")
OPERATIONS = """
[[auditors]]
name = "operations"
principals = ["arn:aws:iam::111122223333:role/operations"]
external_id = "operations-2026-5d81"
mfa = false
"""
COSIGNER = '# cosigner = "none"'
TEXT = EXAMPLE.replace(COSIGNER, COSIGNER.removeprefix("# ")) + OPERATIONS
"""The documented example, and its operators, who may look at the evidence when they replay.

The emulator's KMS makes no ML-DSA keys, so nothing is cosigned here.
"""


def here(name: str) -> Bundle:
    """Stage a function for this machine and the emulator's interpreter."""
    return stage(name, PLATFORMS[profile.ARCHITECTURE], profile.PYTHON)


def main(out: Path) -> None:
    """Write both assemblies under `out`."""
    production = cdk.App(outdir=str(out / "production"), analytics_reporting=False)
    compose(production, config.read(TEXT))
    (out / "nhi-evidence.toml").write_text(TEXT, encoding="utf-8")
    production.synth()
    deployed = cdk.App(outdir=str(out / "deployed"), analytics_reporting=False)
    compose(deployed, config.read(TEXT), staged=here, architecture=profile.ARCHITECTURE)
    deployed.synth()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
