"""What a witness answers with, and what that is taken for: never for more than it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from nhi_evidence.adapters.signing.http_witness import HttpWitness
from nhi_evidence.errors import WitnessError
from nhi_evidence.evidence import checkpoint, merkle, note
from nhi_evidence.evidence.anchoring import Anchoring
from nhi_evidence.stored import AnchorForm
from tests.loopback import Handler, Loopback
from tests.outsiders import Witness
from tests.tamper.sealed_store import NAME, SealedStore

Answer = tuple[int, bytes]


class Scripted(Loopback):
    """Answers in turn, the last answer for ever; keeps the old sizes it was told."""

    def __init__(self, *answers: Answer) -> None:
        self.old_sizes: list[int] = []
        remaining = list(answers)
        outer = self

        class _Handler(Handler):
            def do_POST(self) -> None:  # noqa: N802 as inherited
                outer.old_sizes.append(int(self.body().split(b"\n")[0].removeprefix(b"old ")))
                self.reply(*(remaining.pop(0) if len(remaining) > 1 else remaining[0]))

        super().__init__(_Handler)


@pytest.fixture(scope="module")
def world() -> SealedStore:
    return SealedStore()


@pytest.fixture(scope="module")
def signed(world: SealedStore) -> bytes:
    return world.store.get(world.checkpoint(3))


def size_of(signed: bytes) -> int:
    text, _ = note.split(signed)
    return checkpoint.parse(text).size


def path(old: int) -> Sequence[bytes]:
    """A path, as the log gives one; no witness here checks it."""
    return [merkle.EMPTY_ROOT] if old else []


def refusal(signed: bytes, *answers: Answer) -> tuple[str, list[int]]:
    """Return why a checkpoint was not cosigned, and which old sizes were submitted."""
    with Witness("example.org/witness", note.Key("x", note.Algorithm.ED25519, b"")) as other:
        assert isinstance(other, Witness)
        key = other.key
    with Scripted(*answers) as server:
        under_test = HttpWitness(server.endpoint_url, str(key))
        with pytest.raises(WitnessError) as raised:
            under_test.attest(signed, path)
        return str(raised.value), server.old_sizes


SIZES: dict[str, bytes] = {
    "too long for a number": b"9" * 5000,
    "too long for a size": b"9" * 21,
    "no number": b"old",
    "nothing": b"",
    "not ASCII": "٣".encode(),
}


@pytest.mark.parametrize("size", SIZES)
def test_a_conflict_without_a_size_is_a_refusal(signed: bytes, size: str) -> None:
    """Whatever it says instead; that is no fork."""
    why, sizes_sent = refusal(signed, (409, SIZES[size]))
    assert "answers a conflict, without a size" in why
    assert "fork" not in why
    assert [0] == sizes_sent


def test_a_witness_that_is_ahead_is_not_called_a_fork(signed: bytes) -> None:
    """Somebody may have shown it a newer checkpoint of the same log."""
    why, sizes_sent = refusal(signed, (409, b"%d\n" % (size_of(signed) + 1)))
    assert f"a larger size, {size_of(signed) + 1}" in why
    assert "fork" not in why
    assert [0] == sizes_sent


def test_another_root_of_the_same_size_is_a_fork(signed: bytes) -> None:
    why, sizes_sent = refusal(signed, (409, b"%d\n" % size_of(signed)), (409, b""))
    assert f"another root of the size {size_of(signed)}: a fork" in why
    assert [0, size_of(signed)] == sizes_sent


def test_a_witness_that_moves_on_meanwhile_is_asked_again(signed: bytes) -> None:
    """Another run may show it other checkpoints at the same time; but it is not asked for ever."""
    sizes = [1, 2, 3, 4, 5, 6]
    assert size_of(signed) > sizes[-1]
    why, sizes_sent = refusal(signed, *((409, b"%d\n" % size) for size in sizes))
    assert "conflict" in why
    assert [0, 1, 2, 3] == sizes_sent


class Silent:
    """Another witness, which does what it should."""

    name = "second.example"
    form = AnchorForm.COSIGNATURE

    def attest(self, checkpoint: bytes, path: Callable[[int], Sequence[bytes]]) -> bytes:  # noqa: ARG002
        return checkpoint


@pytest.fixture
def hostile() -> Iterator[Scripted]:
    with Scripted((409, b"9" * 5000)) as server:
        yield server


def test_others_are_still_asked(hostile: Scripted) -> None:
    """One that answers nonsense does not keep the log from being anchored."""
    world = SealedStore()
    with Witness("example.org/witness", world.key) as other:
        assert isinstance(other, Witness)
        under_test = HttpWitness(hostile.endpoint_url, str(other.key))
    done = Anchoring(world.store, NAME, [world.key], witnesses=[under_test, Silent()]).run()
    assert done is not None
    assert ((Silent.name,), {under_test.name}) == (done.made, set(done.failed))
