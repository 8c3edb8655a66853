"""`python -m tests.infra.everything`: the example configuration with everything in it switched on.

`make check-infra` scans its stacks: what an example leaves out is deployed by somebody, too.
"""

from __future__ import annotations

import sys

from tests.infra.aws.conftest import production

_MORE = (
    "token_issuer",
    "reconcile_provider",
    "reconcile_projects",
    "reconcile_client_id",
    "entra = true",
)


def everything() -> str:
    """Return the configuration, with canaries, coverage, listings and what other clouds take."""
    text = production()
    for name in _MORE:
        assert text.count(f"# {name}") == 1, name
        text = text.replace(f"# {name}", name)
    return text


if __name__ == "__main__":
    sys.stdout.write(everything())
