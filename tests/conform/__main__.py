r"""Ask a real account whether what the design assumes is so.

python -m tests.conform --bucket nhi-evidence-trial-222233334444 --policy --kms-key alias/trial
python -m tests.conform --estate nhi-evidence.toml
python -m tests.conform --athena 'athena://NAME?region=R&auditor=NAME' --evidence s3://BUCKET \
    --key KEY --from TIME --to TIME
python -m tests.conform --dry-run

Needs a trial bucket with Object Lock (COMPLIANCE, one day) and credentials that may put, read and
list in it; with --policy also the evidence bucket's policy on it. What is written stays locked
until the bucket's retention ends. Exits with 0 where every fact is as expected, 1 where one is not,
3 where some could not be asked. What was put to a live account is written into asked.toml.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.config import Config, read
from tests.conform import engines
from tests.conform.estate_facts import ESTATE, NOT_ASKED, Live, Session
from tests.conform.exchange_facts import EXCHANGED, SIGNING
from tests.conform.facts import LOCK, POLICY, Bucket, Fact, signed
from tests.conform.reconciled_facts import RECONCILED

SIGNATURES = {
    f"{algorithm} over the message itself"
    for algorithm in ("ED25519_SHA_512", "ECDSA_SHA_256", "ML_DSA_SHAKE_256")
}


QUESTIONS = Path(__file__).with_name("asked.toml")
"""Which facts were put to a live account, of this version: by hand, with the day."""


class Answer(NamedTuple):
    """A fact, and what was answered."""

    name: str
    expected: str
    observed: str
    holds: bool | None
    """None: nothing was asked, which says nothing of the fact."""


def ask(facts: tuple[Fact, ...], bucket: Bucket) -> Iterator[Answer]:
    """Ask every fact of a bucket."""
    for fact in facts:
        try:
            answer = fact.ask(bucket)
        except ClientError as error:
            answer = f"{NOT_ASKED}{error.response['Error']['Code']}"
        yield _answer(fact.name, fact.expected, answer)


def _answer(name: str, expected: str, observed: str) -> Answer:
    holds = None if observed.startswith(NOT_ASKED) else observed == expected
    return Answer(name, expected, observed, holds)


def asked_of_kms(kms: Any, key: str) -> Answer:
    """Ask what a signing key does."""
    answer = signed(kms, key)
    return Answer(SIGNING, " or ".join(sorted(SIGNATURES)), answer, answer in SIGNATURES)


def ask_estate(live: Live, config: Config) -> Iterator[Answer]:
    """Ask every fact of a deployed estate."""
    for fact in (*ESTATE, *RECONCILED, *EXCHANGED):
        try:
            answer = fact.ask(live, config)
        except (ClientError, BotoCoreError) as error:
            answer = f"{NOT_ASKED}{error}"
        yield _answer(fact.name, fact.expected, answer)


def ask_engines(options: argparse.Namespace) -> list[Answer]:
    """Ask Athena and the local index the same questions."""
    local = [options.evidence, "--key", options.key]
    athena = [options.athena, "--from", options.since, "--to", options.until]
    return [
        _answer(f"{engines.NAME}: {name}", engines.EXPECTED, observed)
        for name, observed in engines.compare(local, athena)
    ]


def table(answers: list[Answer]) -> str:
    """Return the answers as a Markdown table."""
    rows = [
        f"| {one.name} | {one.expected} | {one.observed} | {_HOLDS[one.holds]} |" for one in answers
    ]
    return "\n".join(["| fact | expected | found | holds |", "|---|---|---|---|", *rows])


_HOLDS = {True: "yes", False: "**no**", None: "not asked"}


def never_asked() -> list[str]:
    """Return every fact that was put to no live account, of this version."""
    listed = {*tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))}
    facts = (*LOCK, *POLICY, *ESTATE, *RECONCILED, *EXCHANGED)
    names = (*(one.name for one in facts), engines.NAME)
    return [name for name in names if name not in listed]


def main(arguments: list[str]) -> int:
    """Ask, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket")
    parser.add_argument("--policy", action="store_true", help="the bucket has evidence's policy")
    parser.add_argument("--kms-key")
    parser.add_argument("--endpoint")
    parser.add_argument("--estate", type=Path, help="ask what this configuration deployed, instead")
    parser.add_argument("--athena", help="ask both engines every saved question, instead")
    parser.add_argument("--evidence", help="the same evidence, as the local index reads it")
    parser.add_argument("--key")
    parser.add_argument("--from", dest="since", help="the hours hold all evidence of the store")
    parser.add_argument("--to", dest="until")
    parser.add_argument("--dry-run", action="store_true", help="print what would be asked")
    options = parser.parse_args(arguments)
    facts = (*LOCK, *(POLICY if options.policy or options.dry_run else ()))
    if options.dry_run:
        for fact_ in facts:
            sys.stdout.write(f"{fact_.name}: expected {fact_.expected} ({fact_.why})\n")
        for fact in (*ESTATE, *RECONCILED, *EXCHANGED):
            sys.stdout.write(
                f"{fact.name}: expected {fact.expected} ({fact.why}); asked by {fact.by}\n"
            )
        sys.stdout.write(f"{engines.NAME}: expected {engines.EXPECTED} of every saved question\n")
        _say_never_asked()
        return 0
    if options.athena:
        if not (options.evidence and options.key and options.since and options.until):
            parser.error("--athena takes --evidence, --key, --from and --to")
        return _print(ask_engines(options))
    if options.estate:
        config = read(options.estate.read_text(encoding="utf-8"), options.estate.name)
        live = Session(boto3.session.Session(), config.evidence.buckets[0].region)
        return _print(list(ask_estate(live, config)))
    if not options.bucket:
        parser.error("--bucket names the trial bucket to ask")
    session = boto3.session.Session()
    run = f"conform/{datetime.now(UTC):%Y%m%dT%H%M%SZ}/"
    bucket = Bucket(session.client("s3", endpoint_url=options.endpoint), options.bucket, run)
    answers = list(ask(facts, bucket))
    if options.kms_key:
        answers.append(asked_of_kms(session.client("kms"), options.kms_key))
    return _print(answers)


def _print(answers: list[Answer]) -> int:
    sys.stdout.write(table(answers) + "\n")
    _say_never_asked()
    if any(one.holds is False for one in answers):
        return 1
    return 0 if all(one.holds for one in answers) else 3


def _say_never_asked() -> None:
    names = never_asked()
    if names:
        sys.stdout.write(f"\nnever asked of a live account, of this version: {len(names)} facts\n")
        sys.stdout.writelines(f"  {name}\n" for name in names)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
