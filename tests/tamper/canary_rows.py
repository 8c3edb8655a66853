"""Rows of the matrix about sealed statements on canaries: none of the probes here was ever made."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from msgspec.structs import replace

from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.canary import hourly, statement
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.hourly import Hour, Locked
from nhi_evidence.coverage.canary.statement import Stated
from nhi_evidence.coverage.canary.weigh import Result, Weighed
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.evidence import keys
from tests.tamper.rows import Done, row
from tests.tamper.sealed_store import HOUR_MS, NAME, SealedStore

ROLE = "arn:aws:iam::111122223333:role/nhi-evidence-main-canary-identity"
DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}


def _put(world: SealedStore, operation: Operation) -> str:
    world.store.put_new(operation.key, operation.body, metadata=operation.metadata)
    return operation.key


def _stated(world: SealedStore) -> Stated:
    """Announce an hour's probes, let the hour pass, and state what became of them."""
    hour = keys.hour_of(world.now + 2 * HOUR_MS)
    plan = plans.plan(NAME, "aws", hour, ROLE, DELAYS, account="111122223333")
    locked = Locked(_put(world, plans.write(plan)), world.now, plan)
    world.seal()
    until = hourly.over([locked])
    world.now = until + hourly.SETTLED_MS
    world.store.put_new(
        "op/v1/config/h=" + hour + "/" + sha256(b"x").hexdigest(), b"x", metadata={}
    )
    world.seal()
    sealed = reconcile.recent(world.store, NAME, [world.key], since=world.now)
    return Hour("aws", hour, [locked], until).conclude(sealed.log, ())


def _again(stated: Stated, weighed: list[Weighed], plan: str = "") -> Stated:
    header = stated.header
    restated = [(plan or header.plans[0], weighed)]
    return statement.state(
        "aws", header.hour, header.log, restated, until=header.until, mappers=header.mappers
    )


def _false(world: SealedStore, lie: Callable[[Stated], Stated]) -> Done:
    key = _put(world, statement.write(lie(_stated(world))))
    world.seal()
    return Done({("canaries_false", key)})


@row("a statement on canaries that says that none of their records came, and none did")
def honest_canaries(world: SealedStore) -> Done:
    _put(world, statement.write(_stated(world)))
    world.seal()
    return Done(set())


@row("a statement that claims a canary's record without one")
def claimed_arrival(world: SealedStore) -> Done:
    def lie(stated: Stated) -> Stated:
        first, *rest = stated.weighed
        claimed = replace(first, result=Result.PROVEN, where=world.key_of("ev/"))
        return _again(stated, [claimed, *rest])

    return _false(world, lie)


@row("a statement on canaries that leaves out a probe that was announced")
def omitted_probe(world: SealedStore) -> Done:
    return _false(world, lambda stated: _again(stated, list(stated.weighed[1:])))


@row("a statement on canaries of a plan nobody has sealed")
def unplanned(world: SealedStore) -> Done:
    def lie(stated: Stated) -> Stated:
        key = f"op/v1/coverage/h={stated.header.hour}/{'ab' * 32}{plans.ENDING}"
        return _again(stated, list(stated.weighed), key)

    return _false(world, lie)


@row("a statement on canaries in another spelling")
def misspelled(world: SealedStore) -> Done:
    operation = statement.write(_stated(world))
    body = operation.body + operation.body
    digest = sha256(body).hexdigest()
    key = f"{operation.key.rpartition('/')[0]}/{digest}{statement.ENDING}"
    world.store.put_new(key, body, metadata=operation.metadata)
    world.seal()
    return Done({("canaries_invalid", key)})


@row("a statement on canaries with a number larger than any reader accepts")
def no_instant(world: SealedStore) -> Done:
    stated = _stated(world)
    later = replace(stated, header=replace(stated.header, until=1 << 64))
    key = _put(world, statement.write(later))
    world.seal()
    return Done({("canaries_invalid", key)})


@row("a plan of canaries with a number larger than any reader accepts")
def no_minutes(world: SealedStore) -> Done:
    hour = keys.hour_of(world.now + 2 * HOUR_MS)
    plan = plans.plan(NAME, "aws", hour, ROLE, DELAYS, account="111122223333")
    first, *others = plan.probes
    late = replace(plan, probes=(replace(first, within_minutes=1 << 64), *others))
    key = _put(world, plans.write(late))
    world.seal()
    return Done({("canaries_invalid", key)})
