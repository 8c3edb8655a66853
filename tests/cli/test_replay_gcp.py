"""`nhi-evidence replay gcp` as an operator runs it, against an emulated Cloud Storage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials

from nhi_evidence import sources
from nhi_evidence.adapters.gcp.cloud_event import ObjectRef
from nhi_evidence.adapters.gcp.gcs_source import GcsSource, SourceBucket
from nhi_evidence.adapters.gcp.staged_files import StagedFiles
from nhi_evidence.adapters.store.directory import DirectoryStore
from nhi_evidence.config import gcp_names
from nhi_evidence.embedded.gcs import EmbeddedGcs, GcsObject
from nhi_evidence.errors import SettingsError, SourceUnavailableError
from nhi_evidence.pipeline.export import Mapper
from nhi_evidence.pipeline.lock import lock_batch
from tests.cli.command import Result, run
from tests.pubsub_server import PubsubServer

EXAMPLE = Path(__file__).parents[2] / "nhi-evidence.example.toml"
BUCKET = gcp_names.staging_bucket("example-evidence")
TOPIC = "projects/example-evidence/topics/nhi-evidence-files"
NOW = datetime.now(UTC)


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedGcs]:
    with EmbeddedGcs(BUCKET, log=tmp_path / "gcs.log") as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def pubsub(monkeypatch: pytest.MonkeyPatch) -> Iterator[PubsubServer]:
    with PubsubServer(lambda _topic, _body: 200) as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


def named(when: datetime, end: str = "a") -> str:
    return f"audit/{when:%Y/%m/%d/%H_%M_%SZ}_{end}.ndjson"


def window(*, after: timedelta = timedelta()) -> list[str]:
    first, last = NOW - timedelta(hours=1) + after, NOW + timedelta(hours=2) + after
    return ["--from", f"{first:%Y-%m-%dT%H}", "--to", f"{last:%Y-%m-%dT%H}"]


def replay(*more: str, after: timedelta = timedelta(), config: Path = EXAMPLE) -> Result:
    return run("replay", "gcp", "--config", str(config), *window(after=after), *more)


def put(storage: EmbeddedGcs) -> list[GcsObject]:
    """Store a file started now, one started yesterday, and one elsewhere; return the first two."""
    yesterday = NOW - timedelta(days=1)
    files = [storage.put(named(when), b"{}\n") for when in (NOW, yesterday)]
    storage.put(f"other/{NOW:%Y/%m/%d}/x.ndjson", b"{}\n")
    return files


def test_a_dry_run_lists_and_announces_nothing(storage: EmbeddedGcs, pubsub: PubsubServer) -> None:
    """Files are selected by when they were finished, whatever the day in their name."""
    files = put(storage)
    result = replay("--dry-run")
    assert (0, "") == (result.code, result.err)
    listed = {
        f"would announce gs://{BUCKET}/{file.name}@{file.generation} (unknown)" for file in files
    }
    assert listed == set(result.out.splitlines()[:2])
    assert "files  2 in the window, 2 chosen, 0 announced" in result.out
    assert [] == pubsub.published


def test_a_window_is_announced_as_cloud_storage_does(
    storage: EmbeddedGcs, pubsub: PubsubServer
) -> None:
    """One message per generation, to the topic that triggers the function."""
    files = put(storage)
    report = replay("--json").json
    assert (2, TOPIC, False) == (report["announced"], report["topic"], report["dry_run"])
    assert {(BUCKET, file.name, file.generation) for file in files} == {
        (
            one["attributes"]["bucketId"],
            one["attributes"]["objectId"],
            one["attributes"]["objectGeneration"],
        )
        for one in pubsub.published
    }
    assert {(TOPIC, "OBJECT_FINALIZE")} == {
        (one["topic"], one["attributes"]["eventType"]) for one in pubsub.published
    }


def test_only_what_is_missing_is_announced(
    storage: EmbeddedGcs, pubsub: PubsubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files with a counted unit in the evidence are left alone."""
    locked, missing = put(storage)
    pack = sources.load("gcp_audit")
    source = GcsSource((SourceBucket(BUCKET),), pack, token=str)
    delivery = source.fetch(ObjectRef(BUCKET, locked.name, locked.generation))
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    mapper = Mapper("gcp_audit", keep_out_of_scope_raw=False)
    lock_batch(mapper, [delivery], DirectoryStore(evidence)).ensure_locked()
    result = replay("--only-missing", "--evidence", str(evidence), "--dry-run")
    assert [
        f"would announce gs://{BUCKET}/{missing.name}@{missing.generation} (missing)",
        "files  2 in the window, 1 chosen, 0 announced",
    ] == [result.out.splitlines()[0], result.out.splitlines()[2]], result
    report = replay("--only-missing", "--evidence", str(evidence), "--json").json
    assert (2, 1) == (report["found"], report["announced"])
    assert [missing.name] == [one["attributes"]["objectId"] for one in pubsub.published]


def test_only_what_is_missing_needs_the_evidence() -> None:
    """Nothing is announced by guessing."""
    assert "--only-missing needs --evidence" in replay("--only-missing").err


def test_another_window_has_other_files(storage: EmbeddedGcs, pubsub: PubsubServer) -> None:
    """Files finished before or after are left alone."""
    put(storage)
    for after in (timedelta(days=-3), timedelta(days=3)):
        assert [] == replay("--json", after=after).json["files"]
    assert [] == pubsub.published


def test_many_files_are_listed_and_announced_in_parts(
    storage: EmbeddedGcs, pubsub: PubsubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over pages and publications, none is missed and none repeated."""
    monkeypatch.setattr("nhi_evidence.adapters.gcp.staged_files._AT_ONCE", 3)
    monkeypatch.setattr("nhi_evidence.adapters.gcp.staged_files._PAGE", 4)
    files = [storage.put(named(NOW, f"{number:02}"), b"{}\n") for number in range(10)]
    assert 10 == replay("--json").json["announced"]
    assert sorted(file.name for file in files) == sorted(
        one["attributes"]["objectId"] for one in pubsub.published
    )


def test_an_impossible_replay_is_reported(
    storage: EmbeddedGcs, pubsub: PubsubServer, tmp_path: Path
) -> None:
    """Each error is one sentence that names what is wrong, with its exit code."""
    put(storage)
    pubsub.status = 403
    refused = replay()
    assert (4, True) == (refused.code, f"{TOPIC}: 403" in refused.err), refused
    text = EXAMPLE.read_text()
    direct = tmp_path / "direct.toml"
    direct.write_text(text.replace('# delivery = "direct"', 'delivery = "direct"'))
    assert 'gcp.delivery is "direct"' in replay(config=direct).err
    other = tmp_path / "other.toml"
    other.write_text(text.replace('project = "example-evidence"', 'project = "example-missing"'))
    missing = replay(config=other)
    assert (4, True) == (missing.code, "gs://example-missing-nhi-evidence-staging" in missing.err)


def test_an_announcement_that_was_not_accepted_is_an_error(
    pubsub: PubsubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fewer message ids than messages are not counted as sent."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(pubsub, "publish", lambda *_: {"messageIds": ["1"]})
    refs = [ObjectRef(BUCKET, named(NOW, end), "1") for end in "ab"]
    with pytest.raises(SourceUnavailableError, match="1 of 2 messages were accepted"):
        StagedFiles().announce(TOPIC, refs)


def test_another_service_gets_no_token(
    pubsub: PubsubServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that stands in for Pub/Sub is not shown the token that Cloud Storage gets."""
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(credentials, "before_request", lambda *_: pytest.fail("signed"))
    monkeypatch.setattr("google.auth.default", lambda **_: (credentials, None))
    staged = StagedFiles()
    assert 1 == staged.announce(TOPIC, [ObjectRef(BUCKET, named(NOW), "1")])
    with pytest.raises(pytest.fail.Exception, match="signed"):
        list(staged.files(BUCKET, "audit/", NOW, NOW + timedelta(hours=1)))


def test_without_google_s_library_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The library is optional, and the error names it."""
    monkeypatch.setitem(sys.modules, "google.auth", None)
    with pytest.raises(SettingsError, match="install nhi-evidence with its extra `gcp`"):
        StagedFiles()
