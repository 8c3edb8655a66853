"""What CloudFormation's own schemas have against a template: cfn-lint, in this process.

It is loaded once, and a template that was looked into already, for its region, is not again.
"""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

from infra.deploy.assembly import stacks


def complaints(assembly: Path, *, read_as: tuple[str, str] = ("arn:aws:", "arn:aws:")) -> list[str]:
    """Return what is wrong in the templates of an assembly, each in the region it goes to.

    `read_as` is a text, and what the linter is given in its place.
    """
    every = stacks(assembly)
    assert every
    read = {one.name: (assembly / f"{one.name}.template.json").read_text() for one in every}
    return [
        f"{one.name}: {complaint}"
        for one in every
        for complaint in _complaints(read[one.name].replace(*read_as), one.region)
    ]


@cache
def _complaints(template: str, region: str) -> tuple[str, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the linter's own code
        from cfnlint.api import ManualArgs, lint  # noqa: PLC0415 - seconds to load

        # W3005: CDK's own handler states one dependency twice.
        config = ManualArgs(regions=[region], ignore_checks=["W3005"])
        return tuple(map(str, lint(template, config=config)))
