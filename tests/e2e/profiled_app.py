"""The CDK app of the end-to-end profile: production's stacks, without what the emulator lacks.

Run by the command line of the CDK, as the production app is, or in its place by `make_deploy`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from infra.aws.application import compose  # first: it chooses the Node that jsii runs on

import aws_cdk as cdk  # isort: skip

from infra.aws_app import main as production
from infra.bundle import PLATFORMS, Bundle, stage
from nhi_evidence import config
from tests.e2e import profile


def here(name: str) -> Bundle:
    """Stage a function for this machine and the emulator's interpreter."""
    return stage(name, PLATFORMS[profile.ARCHITECTURE], profile.PYTHON)


def main(arguments: list[str] | None = None) -> int:
    """Write the profile's assembly, as `infra.aws_app` writes production's; return 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    parser.add_argument("--out", default=os.environ.get("CDK_OUTDIR"))
    options = parser.parse_args(arguments)
    app = cdk.App(outdir=options.out, analytics_reporting=False)
    path = Path(options.config or app.node.try_get_context("config"))
    compose(
        app,
        config.read(path.read_text(encoding="utf-8"), path.name),
        staged=here,
        architecture=profile.ARCHITECTURE,
    )
    app.synth()
    used: set[str] = set()
    for template in sorted(Path(options.out).glob("*.template.json")):
        changed, entries = profile.without(json.loads(template.read_text()))
        used |= entries
        template.write_text(json.dumps(changed))
    Path(options.out, "profile-entries.json").write_text(json.dumps(sorted(used)))
    return 0


if __name__ == "__main__":
    sys.exit(production(sys.argv[2:]) if sys.argv[1:2] == ["production"] else main())
