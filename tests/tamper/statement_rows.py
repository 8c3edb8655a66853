"""Rows of the matrix about sealed statements on completeness.

The digests of this store are none: an honest statement says that its hour is not proven.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from nhi_evidence.completeness import reconcile, statement_file
from nhi_evidence.completeness.judge import Known
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Statements
from nhi_evidence.evidence.verify.sorting import MemorySorter
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR, NAME, SealedStore


def _written(world: SealedStore) -> list[Statements]:
    sealed = reconcile.full(world.store, NAME, [world.key], MemorySorter, now=world.now)
    read = reconcile.gather(world.store, sealed, MemorySorter, now=world.now)
    return list(reconcile.statements(read, Known(log=read.log)))


def _state(world: SealedStore, lie: Callable[[Statements], Statements]) -> list[str]:
    """Put the statements on the store, altered, and seal them; return their keys."""
    keys = []
    for each in _written(world):
        for written in statement_file.write(lie(each)):
            world.store.put_new(written.key, written.body, metadata=written.metadata)
            keys.append(written.key)
    world.seal()
    return keys


def _false(world: SealedStore, lie: Callable[[Statements], Statements]) -> Done:
    return Done({("statement_false", key) for key in _state(world, lie)} | _incomplete(world))


def _incomplete(world: SealedStore) -> set[tuple[str, str]]:
    return {
        ("hour_incomplete", " ".join((held.source, held.hour, each.scope.stream)))
        for held in _written(world)
        for each in held.statements
        if each.is_incomplete
    }


@row("an honest statement on an hour whose digests are not valid")
def honest(world: SealedStore) -> Done:
    _state(world, lambda statements: statements)
    return Done(_incomplete(world))


@row("a statement that calls an hour proven that is not")
def proven(world: SealedStore) -> Done:
    def lie(statements: Statements) -> Statements:
        return replace(
            statements,
            statements=tuple(
                replace(
                    each,
                    verdict=Verdict.PROVEN,
                    reasons=(),
                    totals={},
                    named=(),
                    expected=each.found,
                )
                for each in statements.statements
            ),
        )

    return Done({("statement_false", key) for key in _state(world, lie)})


@row("a statement that leaves out a unit that counts")
def unit_left_out(world: SealedStore) -> Done:
    def lie(statements: Statements) -> Statements:
        left = tuple(replace(each, counts=each.counts[1:]) for each in statements.statements)
        return replace(statements, statements=left)

    return _false(world, lie)


@row("a statement that names another object for a unit that counts")
def unit_elsewhere(world: SealedStore) -> Done:
    def lie(statements: Statements) -> Statements:
        moved = []
        for each in statements.statements:
            first, *rest = each.counts
            moved.append(replace(each, counts=(replace(first, vid="other"), *rest)))
        return replace(statements, statements=tuple(moved))

    return _false(world, lie)


@row("a statement on a log that was never signed")
def other_log(world: SealedStore) -> Done:
    return _false(
        world, lambda statements: replace(statements, log=replace(statements.log, root="ab" * 32))
    )


@row("a statement that names an input that was not sealed")
def other_input(world: SealedStore) -> Done:
    key = f"op/v1/recon/h={HOUR}/{'ab' * 32}.keys.json"
    return _false(world, lambda statements: replace(statements, inputs=(key,)))


@row("a statement under the key of another hour")
def other_hour(world: SealedStore) -> Done:
    keys = []
    for each in _written(world):
        for written in statement_file.write(each):
            key = written.key.replace(f"h={each.hour}", "h=2026030207")
            world.store.put_new(key, written.body, metadata=written.metadata)
            keys.append(key)
    world.seal()
    return Done({("statement_invalid", key) for key in keys})


@row("statements with an additional line")
def line_more(world: SealedStore) -> Done:
    keys = []
    for each in _written(world):
        for written in statement_file.write(each):
            body = written.body + written.body
            key = statement_file.operation_key("recon", each.hour, body, statement_file.ENDING)
            world.store.put_new(key, body, metadata=written.metadata)
            keys.append(key)
    world.seal()
    return Done({("statement_invalid", key) for key in keys})


@row("a statement with a number larger than any reader accepts")
def no_number(world: SealedStore) -> Done:
    def lie(statements: Statements) -> Statements:
        large = tuple(replace(each, found=1 << 64) for each in statements.statements)
        return replace(statements, statements=large)

    return Done({("statement_invalid", key) for key in _state(world, lie)})
