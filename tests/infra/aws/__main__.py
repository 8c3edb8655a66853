"""`python -m tests.infra.aws`: write the permission matrix into docs/threat-model.md."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.infra.aws.conftest import synthesize
from tests.infra.aws.estate import Estate
from tests.infra.aws.matrix import with_matrix
from tests.infra.aws.test_matrix import PAGE

with tempfile.TemporaryDirectory() as folder:
    synthesize(Path(folder))
    PAGE.write_text(with_matrix(PAGE.read_text(), Estate(Path(folder))))
