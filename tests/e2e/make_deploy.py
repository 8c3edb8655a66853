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


def synthesize(arguments: list[str] | None = None) -> int:
    """Write the profile's assembly where there is none yet; return 0."""
    arguments = arguments or sys.argv[1:]
    out = Path(arguments[arguments.index("--out") + 1])
    return 0 if (out / "profile-entries.json").exists() else profiled_app.main(arguments)


if __name__ == "__main__":
    aws.synthesize = synthesize  # type: ignore[attr-defined]
    organization_requirements.requirements = lambda *_: iter(())
    program.synthesize_aws = synthesize  # type: ignore[attr-defined]
    sys.exit(program.main())
