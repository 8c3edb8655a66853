"""`make deploy` with the profile's stacks in place of production's, and nothing else changed.

What was synthesized before is taken: nothing of it changes in between. Of the organization nothing
is asked: accounts of the emulator have one each.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.e2e import profiled_app  # first: it chooses the Node that jsii runs on

from infra.deploy import __main__ as program  # isort: skip
from infra.deploy import aws, organization_requirements  # isort: skip


def synthesize(path: Path, out: Path) -> int:
    """Write the profile's assembly where there is none yet; return 0."""
    if (out / "profile-entries.json").exists():
        return 0
    return profiled_app.main(["--config", str(path), "--out", str(out)])


if __name__ == "__main__":
    aws.synthesize = synthesize
    organization_requirements.requirements = lambda *_: iter(())
    sys.exit(program.main())
