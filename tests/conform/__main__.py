"""Ask a real account what the design takes for true.

python -m tests.conform --bucket nhi-evidence-trial-222233334444 --policy --kms-key alias/trial
python -m tests.conform --estate nhi-evidence.toml
python -m tests.conform --dry-run

Needs a trial bucket with Object Lock (COMPLIANCE, one day) and credentials that may put, read and
list in it; with --policy also the evidence bucket's policy on it. What is written stays locked
until the bucket's retention ends. Exits with 0 where every fact is as expected, 1 where one is not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from nhi_evidence.config import Config, read
from tests.conform.estate_facts import ESTATE, Live, Session
from tests.conform.facts import LOCK, POLICY, Bucket, Fact, signed
from tests.conform.reconciled_facts import RECONCILED

SIGNATURES = {
    f"{algorithm} over the message itself"
    for algorithm in ("ED25519_SHA_512", "ECDSA_SHA_256", "ML_DSA_SHAKE_256")
}


class Answer(NamedTuple):
    """A fact, and what was found."""

    name: str
    expected: str
    observed: str
    holds: bool


def ask(facts: tuple[Fact, ...], bucket: Bucket) -> Iterator[Answer]:
    """Ask every fact of a bucket."""
    for fact in facts:
        try:
            answer = fact.ask(bucket)
        except ClientError as error:
            answer = f"could not be asked: {error.response['Error']['Code']}"
        yield Answer(fact.name, fact.expected, answer, answer == fact.expected)


def asked_of_kms(kms: Any, key: str) -> Answer:
    """Ask what a signing key does."""
    answer = signed(kms, key)
    return Answer("signing RAW", " or ".join(sorted(SIGNATURES)), answer, answer in SIGNATURES)


def ask_estate(live: Live, config: Config) -> Iterator[Answer]:
    """Ask every fact of a deployed estate."""
    for fact in (*ESTATE, *RECONCILED):
        try:
            answer = fact.ask(live, config)
        except (ClientError, BotoCoreError) as error:
            answer = f"could not be asked: {error}"
        yield Answer(fact.name, fact.expected, answer, answer == fact.expected)


def table(answers: list[Answer]) -> str:
    """Return the answers as a Markdown table."""
    rows = [
        f"| {one.name} | {one.expected} | {one.observed} | {'yes' if one.holds else '**no**'} |"
        for one in answers
    ]
    return "\n".join(["| fact | expected | found | holds |", "|---|---|---|---|", *rows])


def main(arguments: list[str]) -> int:
    """Ask, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bucket")
    parser.add_argument("--policy", action="store_true", help="the bucket has evidence's policy")
    parser.add_argument("--kms-key")
    parser.add_argument("--endpoint")
    parser.add_argument("--estate", type=Path, help="ask what this configuration deployed, instead")
    parser.add_argument("--dry-run", action="store_true", help="print what would be asked")
    options = parser.parse_args(arguments)
    facts = (*LOCK, *(POLICY if options.policy or options.dry_run else ()))
    if options.dry_run:
        for asked in facts:
            sys.stdout.write(f"{asked.name}: expected {asked.expected} ({asked.why})\n")
        for fact in (*ESTATE, *RECONCILED):
            sys.stdout.write(
                f"{fact.name}: expected {fact.expected} ({fact.why}); asked by {fact.by}\n"
            )
        return 0
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
    return 0 if all(one.holds for one in answers) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
