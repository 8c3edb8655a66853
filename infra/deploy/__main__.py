"""`python -m infra.deploy aws|gcp|azure|bootstrap`."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from infra.bundle import Bundle, stage
from infra.deploy import aws, terrain
from infra.deploy.access import NoAccessError
from infra.deploy.requirement import NOTHING_ASKED
from nhi_evidence.config import FILE_NAME, Config, ConfigError, read
from nhi_evidence.errors import EvidenceError

TARGETS = ("aws", "gcp", "azure", "bootstrap")


def main(arguments: list[str] | None = None, *, staged: Callable[[str], Bundle] = stage) -> int:
    """Deploy to one cloud; return the exit code (`aws.deploy`, `terrain.deploy`).

    `staged` returns the bundle of a function, where this process makes the stacks.
    """
    parser = argparse.ArgumentParser(prog="python -m infra.deploy", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--config", type=Path, default=Path(FILE_NAME), help="configuration file")
    parser.add_argument("--out", type=Path, help="folder for the synthesized stacks")
    parser.add_argument("--cdk", help="command line of the CDK (the one make installs)")
    parser.add_argument("--trust", help="with bootstrap: an account that may deploy into this one")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--check", action="store_true", help="say what is missing, deploy nothing")
    options = parser.parse_args(arguments)
    try:
        config = read(options.config.read_text(encoding="utf-8"), options.config.name)
        return _deploy(options, config, staged)
    except FileNotFoundError as error:
        return _fail(f"there is no {error.filename}: run make init")
    except ConfigError as error:
        return _fail(*map(str, error.problems))
    except NoAccessError as error:
        return _fail(str(error), code=NOTHING_ASKED)
    except EvidenceError as error:
        return _fail(str(error))


def _deploy(options: argparse.Namespace, config: Config, staged: Callable[[str], Bundle]) -> int:
    cdk = shlex.split(options.cdk) if options.cdk else aws.default_cdk()
    if options.target == "aws":
        out = options.out or Path("cdk.out")
        return aws.deploy(
            config, options.config, out=out, cdk=cdk, yes=options.yes, check_only=options.check
        )
    if options.target == "bootstrap":
        out = options.out or Path("cdk.out")
        code = aws.synthesize(options.config, out)
        return code or aws.bootstrap(out, cdk=cdk, trust=options.trust)
    cloud = (terrain.google if options.target == "gcp" else terrain.azure)(config)
    if cloud is None:
        return _fail(f"{options.config} has no table [{options.target}]")
    out = options.out or Path("cdktf.out")
    return terrain.deploy(
        cloud,
        options.config,
        out=out,
        yes=options.yes,
        check_only=options.check,
        staged=staged,
    )


def _fail(*lines: str, code: int = 2) -> int:
    sys.stderr.writelines(f"{line}\n" for line in lines)
    return code


if __name__ == "__main__":
    sys.exit(main())
