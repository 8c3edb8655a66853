"""Two deployments that stage the same bundle at once: whoever is later finds it there."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.bundle import _is_unaltered, _measure, _place


def folder(place: Path, content: str = "same") -> Path:
    place.mkdir(parents=True)
    (place / "handler.py").write_text(content)
    return place


def test_what_another_has_staged_meanwhile_is_used(tmp_path: Path) -> None:
    """It has the same bytes, and is not rewritten while it is in use."""
    mine, theirs = folder(tmp_path / "mine" / "bundle"), folder(tmp_path / "target")
    inode = (theirs / "handler.py").stat().st_ino
    _place(mine, theirs, _measure(mine))
    assert inode == (theirs / "handler.py").stat().st_ino


def test_an_altered_bundle_gives_way_whole(tmp_path: Path) -> None:
    """It is moved, not emptied file by file under the eyes of another deployment."""
    mine, altered = folder(tmp_path / "mine" / "bundle"), folder(tmp_path / "target", "altered")
    with (altered / "handler.py").open() as opened:
        _place(mine, altered, _measure(mine))
        assert "altered" == opened.read()
    assert "same" == (altered / "handler.py").read_text()
    assert ["altered"] == [one.read_text() for one in tmp_path.glob("mine/*/target/handler.py")]


def test_a_folder_that_cannot_be_placed_is_an_error(tmp_path: Path) -> None:
    """And not tried for ever."""
    mine = folder(tmp_path / "mine" / "bundle")
    with pytest.raises(FileNotFoundError):
        _place(mine, tmp_path / "no folder" / "target", _measure(mine))


def test_a_bundle_moved_away_while_it_is_measured_is_not_reused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another deployment found it altered: it is staged again."""
    here = folder(tmp_path / "bundle")
    measured = _measure(here)
    monkeypatch.setattr("infra.bundle._files", lambda root: iter([root / "moved away"]))
    assert not _is_unaltered(here, measured)
