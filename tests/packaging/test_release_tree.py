"""The tree of a release: what is staged replaces nothing until it can be staged."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra import release
from infra.release import ReleaseError, stage


def test_what_cannot_be_staged_leaves_the_tree_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something is not committed: the last good tree stays."""
    (tmp_path / "last").write_text("good")
    monkeypatch.setattr(release, "_git", lambda *_: b" M shared/nhi_evidence/errors.py\n")
    with pytest.raises(ReleaseError, match=r"not committed: shared/nhi_evidence/errors\.py"):
        stage(tmp_path)
    assert "good" == (tmp_path / "last").read_text()


def test_the_sources_are_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--out .` would delete the checkout."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "README.md").write_text("here")
    monkeypatch.setattr(release, "ROOT", checkout)
    for target in (checkout, tmp_path):
        with pytest.raises(ReleaseError, match="contains the sources"):
            stage(target, uncommitted=True)
    assert "here" == (checkout / "README.md").read_text()
