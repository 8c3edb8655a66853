"""Questions on signatures, tokens and code distinguish yes from no, on a simulated estate."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from nhi_evidence.completeness import statement_file
from nhi_evidence.completeness.reasons import Verdict
from nhi_evidence.completeness.statement import Log, Scope, Statement, Statements
from nhi_evidence.config import read
from nhi_evidence.evidence import log
from nhi_evidence.evidence.checkpoint import Checkpoint
from nhi_evidence.evidence.log_signers import LogSigners
from tests.conform.estate_facts import EstateFact
from tests.conform.exchange_facts import EXCHANGED, SIGNING
from tests.signing import LocalSigner

EXAMPLE = (Path(__file__).parents[2] / "nhi-evidence.example.toml").read_text()
CONFIG = read(
    EXAMPLE.replace("# token_issuer", "token_issuer")
    .replace("# reconcile_provider", "reconcile_provider")
    .replace("# reconcile_projects", "reconcile_projects")
    .replace("# reconcile_client_id", "reconcile_client_id")
    .replace('# cosigner = "none"', 'cosigner = "none"')
)
STORE = CONFIG.bucket("main")
YEAR = f"{datetime.now(UTC):%Y}"
NEWEST = log.checkpoint_key(YEAR, 7)
GOOD, OTHER = LocalSigner("log"), LocalSigner("another")


class Estate:
    """Objects of a bucket, the public half of the signing key, and what command lines print."""

    def __init__(
        self, objects: Mapping[str, bytes], *, signer: LocalSigner = GOOD, **printed: str
    ) -> None:
        self._objects, self._signer, self._printed = dict(objects), signer, printed

    def client(self, _service: str) -> Any:
        return SimpleNamespace(
            list_objects_v2=self._list,
            get_object=lambda *, Key, **_: {"Body": io.BytesIO(self._objects[Key])},  # noqa: N803
            get_public_key=lambda **_: {"PublicKey": self._signer.public_key()},
        )

    def _list(self, *, Prefix: str, StartAfter: str = "", **_: Any) -> dict[str, Any]:  # noqa: N803
        """Return one key per page, so that the caller has to paginate."""
        keys = sorted(key for key in self._objects if key.startswith(Prefix) and key > StartAfter)
        return {"Contents": [{"Key": key} for key in keys[:1]], "IsTruncated": len(keys) > 1}

    def run(self, *command: str) -> str:
        return self._printed["rest" if "rest" in command else "blobs"]

    def wait(self) -> bool:
        return False


def checkpoint(signer: LocalSigner) -> bytes:
    """Return a note as the sealer writes it."""
    stated = Checkpoint(f"{STORE.log}/{YEAR}", 7, bytes(32))
    return LogSigners(STORE.log, [signer]).sign(stated, 0)


def statements(source: str, *reasons: str) -> dict[str, bytes]:
    """Return an object of statements on an hour of a source."""
    hour = f"{datetime.now(UTC):%Y%m%d%H}"
    verdict = Verdict.UNPROVABLE if reasons else Verdict.RECONCILED
    stated = Statement(
        scope=Scope(account="a"), verdict=verdict, reasons=reasons, expected=1, found=1
    )
    log_ = Log(origin=f"{STORE.log}/{YEAR}", size=7, root="00" * 32, at=0)
    (written,) = statement_file.write(
        Statements(source=source, hour=hour, log=log_, statements=(stated,))
    )
    return {written.key: written.body}


def fact(name: str) -> EstateFact:
    (chosen,) = (one for one in EXCHANGED if one.name == name)
    return chosen


SIGNED = {log.checkpoint_key(YEAR, 6): b"older", NEWEST: checkpoint(GOOD)}
GOOGLE, ENTRA = (f"{one} takes the token of an AWS function" for one in ("Google", "Entra"))
WRITER = "AWS takes the token of {}'s function for its writer role"
CODE = "Azure states no digest of published code"
SITE = json.dumps({"name": "x", "properties": {"state": "Running", "contentHash": None}})
HASHED = json.dumps([{"properties": {"contentSettings": {"contentMd5": "AAAA"}}}])

CASES: dict[str, tuple[str, Callable[[], Estate], str]] = {
    "the newest checkpoint is signed by the key": (SIGNING, lambda: Estate(SIGNED), "every key"),
    "by another": (SIGNING, lambda: Estate(SIGNED, signer=OTHER), f"{NEWEST}: no pinned key"),
    "nothing is sealed": (SIGNING, lambda: Estate({}), "not asked: no checkpoint"),
    "Google's function wrote": (
        WRITER.format("Google"),
        lambda: Estate({"ev/v1/gcp_audit/h=x/u": b""}),
        "evidence",
    ),
    "it did not": (WRITER.format("Google"), lambda: Estate({}), "none"),
    "Azure's function wrote": (
        WRITER.format("Azure"),
        lambda: Estate({"ev/v1/azure_monitor/h=x/u": b""}),
        "evidence",
    ),
    "Azure's did not": (WRITER.format("Azure"), lambda: Estate({}), "none"),
    "Google listed": (GOOGLE, lambda: Estate(statements("gcp_audit", "waiting")), "a listing"),
    "Google refused": (GOOGLE, lambda: Estate(statements("gcp_audit", "refused")), "refused"),
    "nothing is stated": (GOOGLE, lambda: Estate({}), "not asked: no statement"),
    "Entra's application listed": (
        ENTRA,
        lambda: Estate(statements("azure_activity")),
        "a listing",
    ),
    "nobody asked": (ENTRA, lambda: Estate(statements("azure_activity", "not_asked")), "not_asked"),
    "Azure states none": (CODE, lambda: Estate({}, rest=SITE, blobs="[]"), "none"),
    "Azure states one": (
        CODE,
        lambda: Estate({}, rest=SITE, blobs=HASHED),
        "properties.contentSettings.contentMd5",
    ),
    "Azure is not reached": (CODE, lambda: Estate({}, rest="failed: no"), "not asked: failed: no"),
}


@pytest.mark.parametrize("case", CASES)
def test_answers_match_the_estate(case: str) -> None:
    """As the design expects if the estate has it; otherwise another answer, or not asked."""
    name, estate, start = CASES[case]
    assert fact(name).ask(estate(), CONFIG).startswith(start)


@pytest.mark.parametrize("name", [one.name for one in EXCHANGED])
def test_every_fact_has_a_yes_and_another_answer(name: str) -> None:
    """A question with only one possible answer would settle nothing."""
    answers = {
        fact(name).ask(estate(), CONFIG) for asked, estate, _ in CASES.values() if asked == name
    }
    assert fact(name).expected in answers
    assert len(answers) > 1
