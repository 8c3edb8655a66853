"""`make cdk ARGS=...`: the CDK's command line and the Node for it, as `make` installs them."""

from __future__ import annotations

import sys

from infra.deploy.aws import default_cdk
from infra.deploy.running import run

if __name__ == "__main__":
    sys.exit(run([*default_cdk(), *sys.argv[1:], "--no-notices"]))
