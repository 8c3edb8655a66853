"""The sealed statement on an hour's canaries: what was announced, and what arrived."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nhi_evidence.adapters.probing import weighing
from nhi_evidence.adapters.probing.weighing import Probed, weigh_due
from nhi_evidence.completeness import reconcile
from nhi_evidence.completeness.statement_file import Operation
from nhi_evidence.coverage.answers import ReadingError
from nhi_evidence.coverage.canary import hourly, statement
from nhi_evidence.coverage.canary import plan as plans
from nhi_evidence.coverage.canary.nonces import Nonces
from nhi_evidence.coverage.canary.statement import Stated
from nhi_evidence.coverage.canary.weigh import Result
from nhi_evidence.coverage.cells import cells, setting_of
from nhi_evidence.coverage.counted import Reader
from nhi_evidence.coverage.evidence import observed
from nhi_evidence.evidence import frame
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from nhi_evidence.pipeline.scope import Scope
from tests.coverage.sealed_estate import ACCOUNT, DAY, HOUR, NAME, Sealed, delivery, record
from tests.memory_store import MemoryStore

DELAYS = {cell.id: setting_of(cell).delay_minutes for cell in cells()}
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nhi-evidence-main-canary-identity"
PLANNED = "2026030207"
BEGINS = DAY + 7 * HOUR
PLAN = plans.plan(NAME, "aws", PLANNED, ROLE, DELAYS, account=ACCOUNT)
SERVICES = {
    "GetSecretValue": "secretsmanager",
    "GetParameter": "ssm",
    "ListBuckets": "s3",
    "ListUsers": "iam",
    "AssumeRole": "sts",
}
SECRET = "aws.secret_access.services"


def recorded(*, without: str = "", by: str = ROLE) -> list[dict[str, Any]]:
    """Return CloudTrail's records of the hour's probes, except one cell's."""
    name = by.rpartition("/")[2]
    identity = {
        "type": "AssumedRole",
        "principalId": "AROACKCEVSQ6C2EXAMPLE:nhi-evidence",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/nhi-evidence",
        "accountId": ACCOUNT,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROACKCEVSQ6C2EXAMPLE",
                "arn": by,
                "accountId": ACCOUNT,
                "userName": name,
            }
        },
    }
    return [
        record(
            probe.operation,
            7 * 60 + 10,
            100 + number,
            userIdentity=identity,
            userAgent=f"Boto3/1.44 nhi-canary/{probe.nonce}",
            eventSource=f"{SERVICES.get(probe.operation, 'sts')}.amazonaws.com",
        )
        for number, probe in enumerate(PLAN.probes)
        if probe.expect == "record" and probe.cell != without
    ]


class Bucket:
    """A sealed copy, and runs that weigh it."""

    def __init__(self, folder: Path, *, planned_at: int = BEGINS - 2 * HOUR) -> None:
        self.made = Sealed(folder)
        operation = plans.write(PLAN)
        self.made.put(operation.key, operation.body, planned_at)
        self.made.seal(planned_at + 60_000)
        self.put: list[Operation] = []
        self.keeps = True
        """Whether the objects a run puts go into the copy."""

    def lock(self, records: list[dict[str, Any]], at: int, mark: str = "AbCdEf") -> None:
        aside = MemoryStore()
        mapper = Mapper("aws_cloudtrail", scope=Scope.NHI, keep_out_of_scope_raw=True)
        lock_batch(mapper, [delivery(7, records, mark)], aside).ensure_locked()
        for key, (stored,) in aside.versions_by_key.items():
            self.made.put(key, stored.body, at, stored.metadata)

    def run(self, at: int, is_late: Callable[[], bool] = lambda: False) -> Probed:
        """Seal, together with the hourly objects, and weigh what is due."""
        body = str(at).encode()
        key = f"op/v1/config/h={PLANNED}/{sha256(body).hexdigest()}.reading.json.zst"
        self.made.put(key, body, at - 1)
        self.made.seal(at)
        sealed = reconcile.recent(self.made.store, NAME, [self.made.key], since=DAY)
        return weigh_due(self.made.store, sealed, self._put, is_late=is_late)

    def _put(self, operation: Operation) -> str:
        self.put.append(operation)
        if not self.keeps:
            return operation.key
        self.made.store.put_new(operation.key, operation.body, metadata=operation.metadata)
        return operation.key

    @property
    def stated(self) -> Stated:
        """Return the newest statement."""
        return statement.read(self.put[-1].body, self.put[-1].key)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path)


def by_cell(stated: Stated) -> dict[str, Result]:
    return {one.cell: one.result for one in stated.lines}


def test_an_hour_in_which_everything_arrived(bucket: Bucket) -> None:
    """Each expected probe arrived, with its record's object; this is stated once."""
    bucket.lock(recorded(), BEGINS + HOUR // 3)
    done = bucket.run(BEGINS + 3 * HOUR)
    header = bucket.stated.header
    assert ("aws", PLANNED, len(PLAN.probes)) == (header.platform, header.hour, header.probes)
    assert header.expected == header.arrived == len(recorded())
    assert (0, [], [bucket.put[0].key]) == (done.broken, done.problems, done.statements)
    assert all(one.where.startswith("ev/v1/") for one in bucket.stated.lines)
    assert (plans.write(PLAN).key,) == header.plans
    assert [] == bucket.run(BEGINS + 4 * HOUR).statements
    assert [] == bucket.run(BEGINS + 28 * HOUR).statements, "nothing was missing: it stands"


def test_a_missing_canary_is_named_and_looked_for_again(bucket: Bucket) -> None:
    """Missing at first; late once its record is locked, which is proof and no alarm."""
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3)
    done = bucket.run(BEGINS + 3 * HOUR)
    assert Result.MISSING is by_cell(bucket.stated)[SECRET]
    assert (1, len(recorded()) - 1) == (done.broken, bucket.stated.header.arrived)
    (named,) = done.named
    assert named.startswith(f"aws {PLANNED} MISSING {SECRET}: no record by ")
    late = [one for one in recorded() if one["eventName"] == "GetParameter"]
    bucket.lock(late, BEGINS + 9 * HOUR, "Late99")
    assert [] == bucket.run(BEGINS + 20 * HOUR).statements
    again = bucket.run(BEGINS + 28 * HOUR)
    assert (0, Result.LATE) == (again.broken, by_cell(bucket.stated)[SECRET])


def test_an_hour_that_is_not_over_is_left(bucket: Bucket) -> None:
    """Too recent, or so old that it is left to a command."""
    latest = max(probe.within_minutes for probe in PLAN.probes) * 60_000
    over = BEGINS + HOUR + latest + hourly.SETTLED_MS
    assert [] == bucket.run(over - 1000).statements
    assert 1 == len(bucket.run(over).statements)


def test_principal_and_operation_decide(bucket: Bucket) -> None:
    """Under another principal it is not the canary's; its nonce is not a secret."""
    bucket.lock(recorded(by=f"arn:aws:iam::{ACCOUNT}:role/somebody"), BEGINS + HOUR // 3)
    done = bucket.run(BEGINS + 3 * HOUR)
    assert {Result.IDENTITY_MISSING} == set(by_cell(bucket.stated).values())
    assert done.broken == len(recorded())


def test_a_contested_record_proves_nothing(bucket: Bucket) -> None:
    """If two claims of a file contradict each other, neither counts, and nothing arrived."""
    bucket.lock(recorded(), BEGINS + HOUR // 3)
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3 + 1)
    bucket.run(BEGINS + 3 * HOUR)
    assert {Result.MISSING} == set(by_cell(bucket.stated).values())


def test_a_plan_that_came_late_announces_nothing(tmp_path: Path) -> None:
    bucket = Bucket(tmp_path, planned_at=BEGINS + 60_000)
    done = bucket.run(BEGINS + 3 * HOUR)
    header = bucket.stated.header
    assert (0, 0, 0) == (header.expected, header.arrived, done.broken)
    assert {Result.WAITING} == set(by_cell(bucket.stated).values())


def test_objects_without_the_account_are_not_opened(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the table is read of an object that cannot contain a canary."""
    bucket.lock(recorded(), BEGINS + HOUR // 3)
    opened: list[str] = []

    class Counted(Reader):
        def opened(self, group: Any, marks: Any) -> Any:
            opened.extend(each.key for each in group)
            return super().opened(group, marks)

    monkeypatch.setattr(weighing, "Reader", Counted)
    bucket.run(BEGINS + 3 * HOUR)
    assert 1 == len(opened)
    elsewhere = msgspec.structs.replace(PLAN, principal=ROLE.replace(ACCOUNT, "111122223333"))
    locked = hourly.Locked(plans.write(elsewhere).key, BEGINS - HOUR, elsewhere)
    monkeypatch.setattr(weighing, "_plans", lambda *_: iter([locked]))
    monkeypatch.setattr(weighing, "_standing", lambda *_: {})
    bucket.run(BEGINS + 4 * HOUR)
    assert 1 == len(opened), "the bucket's own name has the account, and its folder has not"


def test_work_beyond_the_deadline_is_left_to_the_next_run(bucket: Bucket) -> None:
    """Nothing is stated about records that were not read, and that is reported."""
    bucket.lock(recorded(), BEGINS + HOUR // 3)
    done = bucket.run(BEGINS + 3 * HOUR, is_late=lambda: True)
    assert ([], ["aws: no time to read the records of 1 hours"]) == (done.statements, done.problems)
    again = bucket.run(BEGINS + 4 * HOUR)
    assert (1, 0) == (len(again.statements), again.broken)


def test_nothing_is_stated_if_evidence_cannot_be_read(bucket: Bucket) -> None:
    """The record may be in it, so it is neither missing nor absent, and an alarm is raised."""
    bucket.lock([], BEGINS + HOUR // 3)
    (key,) = (one.key for one in bucket.made.store.versions("ev/"))
    folder, _, name = key.rpartition("/")
    junk = name.replace(name.partition(".")[0], sha256(b"junk").hexdigest())
    bucket.made.put(f"{folder}/{junk}", b"junk", BEGINS + HOUR // 3)
    done = bucket.run(BEGINS + 3 * HOUR)
    assert [] == done.statements
    assert "aws: not all can be read of the records of 1 hours" == done.problems[-1]
    assert len(done.problems) == 2, "and the object itself"


def test_a_plan_that_cannot_be_read_is_named(bucket: Bucket) -> None:
    body = b"no plan"
    key = f"op/v1/coverage/h={PLANNED}/{sha256(body).hexdigest()}{plans.ENDING}"
    bucket.made.put(key, body, BEGINS - HOUR)
    done = bucket.run(BEGINS + 3 * HOUR)
    assert [key] == [one.partition(":")[0] for one in done.problems]
    assert 1 == len(done.statements)


def _changed(stated: Stated, **changes: Any) -> tuple[bytes, str]:
    header = msgspec.structs.replace(stated.header, **changes)
    operation = statement.write(Stated(header, stated.lines))
    return operation.body, operation.key


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"arrived": 0}, "its header does not match its probes"),
        ({"expected": 99}, "its header does not match its probes"),
        ({"results": {Result.PROVEN: 1}}, "its header does not match its probes"),
        ({"plans": ()}, "a probe of no plan"),
        ({"plans": ("op/v1/coverage/x",)}, "names a plan by an invalid key"),
        ({"hour": "noon"}, "not in canonical form"),
        ({"v": 2}, "not in canonical form"),
    ],
)
def test_a_self_contradictory_statement_is_refused(
    bucket: Bucket, changes: dict[str, Any], why: str
) -> None:
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3)
    bucket.run(BEGINS + 3 * HOUR)
    with pytest.raises(ReadingError, match=why):
        statement.read(*_changed(bucket.stated, **changes))


def test_another_encoding_is_refused(bucket: Bucket) -> None:
    bucket.run(BEGINS + 3 * HOUR)
    lines = frame.unpack(bucket.put[0].body, limit=1 << 20)
    spaced, _ = frame.pack([json.dumps(json.loads(lines[0])).encode(), *lines[1:]])
    name = f"op/v1/recon/h={PLANNED}/{sha256(spaced).hexdigest()}{statement.ENDING}"
    for key in (name, bucket.put[0].key):
        with pytest.raises(ReadingError, match="not in canonical form"):
            statement.read(spaced, key)


def test_a_statement_that_claims_more_than_the_records_is_named(bucket: Bucket) -> None:
    """`coverage --evidence` weighs the records again, and names a false statement."""
    bucket.lock(recorded(without=SECRET), BEGINS + HOUR // 3)
    bucket.run(BEGINS + 3 * HOUR)
    true = bucket.stated
    bucket.made.seal(BEGINS + 5 * HOUR)
    assert {} == observed(bucket.made.store, bucket.made.stored).contradicted
    weighed = [
        msgspec.structs.replace(one, result=Result.PROVEN) if one.cell == SECRET else one
        for one in true.weighed
    ]
    header = true.header
    false = statement.state(
        "aws", PLANNED, header.log, [(header.plans[0], weighed)], until=header.until, mappers=()
    )
    operation = statement.write(false)
    bucket.made.put(operation.key, operation.body, BEGINS + 6 * HOUR)
    bucket.made.seal(BEGINS + 7 * HOUR)
    ((key, why),) = observed(bucket.made.store, bucket.made.stored).contradicted.items()
    assert operation.key == key
    assert f"states PROVEN of {SECRET}" in why


def test_nonces_of_any_form_are_found_in_one_pass() -> None:
    """Nonces from plans, request ids, and any invented by somebody else."""
    nonce, request, other = "nhic" + "0a" * 10, "0" * 8 + "-1111-4222-8333-" + "4" * 12, "A" * 24
    nonces = Nonces([nonce, request, other])
    assert {nonce, other} == nonces.within(f'"{nonce}" {other}'.encode())
    assert {request} == nonces.within(f'"{request}"'.encode())
    assert not nonces(b"nhic" + b"0b" * 10)
    assert not Nonces([])(nonce.encode())
