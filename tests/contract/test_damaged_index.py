"""An index is a cache: one that lacks a file is made anew, a damaged one is an error in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from nhi_evidence.adapters.index import raw_logs
from nhi_evidence.adapters.index import state as states
from nhi_evidence.adapters.index.local_index import LocalIndex
from nhi_evidence.adapters.index.state import FILE, State
from nhi_evidence.errors import SettingsError

KINDS = ("events", "claims", "standing", "repeated")


@pytest.fixture
def index(tmp_path: Path) -> tuple[Path, State]:
    return tmp_path, raw_logs.build(tmp_path, [])


def test_a_whole_index_is_opened(index: tuple[Path, State]) -> None:
    folder, state = index
    assert state == states.load(folder)
    with LocalIndex(folder, state) as opened:
        assert 0 == opened.freshness().rows


@pytest.mark.parametrize("kind", [*KINDS, "trusts"])
def test_an_index_that_lacks_a_file_is_none(index: tuple[Path, State], kind: str) -> None:
    """Somebody tidied up: what is missing is read from the evidence again."""
    folder, state = index
    (name,) = (one for one in state.files if one.startswith(kind))
    (folder / name).unlink()
    assert states.load(folder) is None
    assert (folder / FILE).exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [b"", b"PAR1 and more", b"PAR1PAR1"])
def test_a_damaged_index_says_what_to_do(index: tuple[Path, State], kind: str, body: bytes) -> None:
    """It was an error of the database, with a trace."""
    folder, state = index
    (name,) = (one for one in state.files if one.startswith(kind))
    (folder / name).write_bytes(body)
    with pytest.raises(SettingsError, match=r"the index is damaged .*: remove it"):
        LocalIndex(folder, state)
