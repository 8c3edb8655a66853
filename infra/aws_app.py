"""The AWS CDK app: `python -m infra.aws_app`, or `cdk` by way of cdk.json.

It reads one configuration file and makes no call to AWS.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from infra.aws.application import compose  # first: it chooses the Node that jsii runs on

import aws_cdk as cdk  # isort: skip

from infra.bundle import Bundle, packed, stage
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
    """Write the cloud assembly of all stacks; return 2 if the configuration is wrong.

    `staged` returns the bundle of a function, `say` is told what was written.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.aws_app", description=__doc__)
    parser.add_argument("--config", help=f"configuration file (cdk -c config=...; {FILE_NAME})")
    parser.add_argument("--out", help="folder of the assembly (cdk.out)")
    options = parser.parse_args(arguments)
    app = cdk.App(outdir=options.out, analytics_reporting=False)
    built: dict[str, built_code.Package] = {}

    def noted(name: str) -> Bundle:
        bundle = staged(name)
        built[name] = built_code.package(packed(bundle).read_bytes())
        return bundle

    path = Path(options.config or app.node.try_get_context("config") or FILE_NAME)
    try:
        compose(app, read(path.read_text(encoding="utf-8"), path.name), staged=noted)
    except (FileNotFoundError, EvidenceError) as error:
        return unusable(error)
    assembly = app.synth()
    built_code.write(Path(assembly.directory), built)
    if options.out:  # not for the CDK's command line, which says what it does itself
        say(written(Path(options.out), (stack.stack_name for stack in assembly.stacks)))
    return 0


if __name__ == "__main__":
    sys.exit(main(say=print))
