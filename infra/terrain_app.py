"""The CDK Terrain app: `python -m infra.terrain_app`, or `cdktn` by way of cdktf.json.

It reads one configuration file, writes Terraform for Google Cloud and Azure, and calls neither.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.terrain import compose  # first: it chooses the Node that jsii runs on

import cdktn  # isort: skip

from infra.azure import regions
from infra.bundle import Bundle, stage
from infra.teardown import Teardown
from infra.unusable import unusable
from infra.written import written
from nhi_evidence.config import FILE_NAME, built_code, read
from nhi_evidence.errors import EvidenceError


def main(
    arguments: list[str] | None = None,
    *,
    staged: Callable[[str], Bundle] = stage,
    say: Callable[[str], None] = lambda _: None,
) -> int:
    """Write every stack; return 2 if the configuration is wrong.

    `staged` returns the bundle of a function, `say` is told what was written.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.terrain_app", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(FILE_NAME), help="configuration file")
    parser.add_argument("--out", type=Path, default=Path("cdktf.out"), help="folder of the stacks")
    parser.add_argument(
        "--teardown",
        type=Teardown,
        choices=list(Teardown),
        default=Teardown.NONE,
        help=(
            "drain: without log sources; remove: what still waits may be destroyed, too "
            "(docs/deploy-*.md)"
        ),
    )
    options = parser.parse_args(arguments)
    try:
        config = read(options.config.read_text(encoding="utf-8"), options.config.name)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        # The only validation looks for Terraform, which is needed to deploy but not to synthesize;
        # `infra.deploy` checks its version.
        app = cdktn.App(outdir=str(options.out), skip_validation=True)
        packages = compose(app, config, staged=staged, teardown=options.teardown)
    except (FileNotFoundError, EvidenceError) as error:
        return unusable(error)
    app.synth()
    built = {name: built_code.package(path.read_bytes()) for name, path in packages.items()}
    built_code.write(options.out, built)
    say(written(options.out, sorted(path.name for path in options.out.glob("stacks/*"))))
    if config.azure is not None:
        sys.stderr.writelines(f"note: {note}\n" for note in regions.notes(config.azure.location))
    return 0


if __name__ == "__main__":
    sys.exit(main(say=print))
