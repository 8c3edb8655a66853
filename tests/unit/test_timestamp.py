"""Time stamps, whatever certificates they carry, are accepted exactly if OpenSSL accepts them."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhi_evidence.evidence import anchor, timestamp
from nhi_evidence.evidence.checkpoint import Checkpoint
from tests.outsiders import Stamping

HEAD = Checkpoint("example.org/log/2026", 3, bytes(range(32)))
TEXT = HEAD.text.encode()


def openssl_accepts(folder: Path, stamp: bytes, roots: Path) -> bool:
    (folder / "stamp.tsr").write_bytes(stamp)
    (folder / "text.txt").write_bytes(TEXT)
    done = subprocess.run(
        [
            *("openssl", "ts", "-verify", "-data", folder / "text.txt"),
            *("-in", folder / "stamp.tsr", "-CAfile", roots),
        ],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def accepts(stamp: bytes, roots: bytes) -> bool:
    try:
        anchor.check(anchor.authority("tsa", roots), stamp, HEAD)
    except anchor.AnchorError:
        return False
    return True


@pytest.mark.parametrize(
    ("intermediate", "chain"),
    [
        (False, ""),
        (False, "root"),
        (True, ""),
        (True, "intermediate"),
        (True, "intermediate root"),
        (True, "root intermediate"),
    ],
)
def test_a_stamp_is_accepted_where_openssl_accepts_it(
    tmp_path: Path, intermediate: bool, chain: str
) -> None:
    """With its CA's certificate, in any order, or without, and only under its own root."""
    stamping = Stamping(tmp_path / "tsa", intermediate=intermediate, chain=chain)
    other = Stamping(tmp_path / "other")
    stamp = stamping.stamp(TEXT)
    for roots, folder in ((stamping.roots, "tsa"), (other.roots, "other")):
        expected = openssl_accepts(tmp_path, stamp, tmp_path / folder / "roots.pem")
        assert expected == accepts(stamp, roots), folder
    assert accepts(stamp, stamping.roots) == ("intermediate" in chain or not intermediate)


@pytest.mark.parametrize("status", range(6))
def test_a_status_is_accepted_where_openssl_accepts_it(tmp_path: Path, status: int) -> None:
    """Granted, or granted with modifications; no other status comes with a token."""
    stamping = Stamping(tmp_path / "tsa")
    stamp = stamping.stamp(TEXT)
    place = stamp.index(b"\x02\x01\x00", 0, 16)
    altered = stamp[: place + 2] + bytes([status]) + stamp[place + 3 :]
    expected = openssl_accepts(tmp_path, altered, tmp_path / "tsa" / "roots.pem")
    assert (status in {0, 1}) == expected == accepts(altered, stamping.roots)
    other = altered[:-1] + bytes([altered[-1] ^ 1])
    assert not accepts(other, stamping.roots)
    assert not openssl_accepts(tmp_path, other, tmp_path / "tsa" / "roots.pem")


@pytest.mark.parametrize("version", [1, 3, 99])
def test_a_certificate_that_is_none_makes_no_stamp(tmp_path: Path, version: int) -> None:
    """A token's certificates are not signed, so anyone can damage one: that is a finding."""
    stamping = Stamping(tmp_path / "tsa", chain="root")
    stamp = stamping.stamp(TEXT)
    field = bytes.fromhex("a003020102")  # version 3, at the beginning of each certificate
    places = [at for at in range(len(stamp)) if stamp.startswith(field, at)]
    assert (2, True) == (len(places), accepts(stamp, stamping.roots))
    for at in places:
        damaged = stamp[: at + len(field) - 1] + bytes([version]) + stamp[at + len(field) :]
        assert not accepts(damaged, stamping.roots)


def test_reordering_certificates_changes_nothing_else(tmp_path: Path) -> None:
    """Certificates and surrounding bytes stay the same, and repeating it changes nothing."""
    stamp = Stamping(tmp_path, intermediate=True, chain="intermediate root").stamp(TEXT)
    ordered = timestamp.in_der_order(stamp)
    assert sorted(stamp) == sorted(ordered)
    assert ordered == timestamp.in_der_order(ordered)
    altered = bytearray(stamp)
    altered[-1] ^= 1
    assert not accepts(bytes(altered), Stamping(tmp_path / "x").roots)


@cache
def carried() -> tuple[bytes, bytes]:
    """Return a stamp that carries an additional certificate, and its roots."""
    with TemporaryDirectory() as folder:
        stamping = Stamping(Path(folder), intermediate=True, chain="intermediate")
        return stamping.stamp(TEXT), stamping.roots


@given(st.binary(max_size=200), st.integers(0, 3000), st.integers(0, 255))
def test_no_bytes_break_the_reader(junk: bytes, place: int, value: int) -> None:
    """Any input is read, or refused as not a time stamp."""
    stamp, roots = carried()
    with_junk = bytearray(stamp)
    with_junk[place % len(stamp)] = value
    for data in (junk, bytes(with_junk), stamp[: place % len(stamp)]):
        assert len(data) == len(timestamp.in_der_order(data))
        accepts(data, roots)
